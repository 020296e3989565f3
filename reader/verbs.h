/* The verbs, one file each. */
#ifndef READER_VERBS_H
#define READER_VERBS_H

#include "reader/options.h"

extern const struct verb ls_verb, tree_verb, info_verb, cat_verb, extract_verb, verify_verb,
	repair_verb;

#endif
