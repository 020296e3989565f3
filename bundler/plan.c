#include "bundler/pack.h"

#include "bundler/layout.h"
#include "bundler/stage.h"
#include "common/amount.h"
#include "common/bytes.h"
#include "common/diag.h"
#include "common/drive.h"
#include "common/status.h"

static uint64_t content_len(const struct pack *p, unsigned i)
{
	const struct format_content *content = stage_content(p->compartment[i].stage);

	return content->content_len + content->leaf_count * FORMAT_DIGEST + content->index_len;
}

static int say_too_little(struct pack *p)
{
	return failure_say(&p->failure, EXIT_UNFIT, p->options.size.directory,
	                   "--size=fill: too little is free there for any bundle%s",
	                   p->options.force ? "; an old one stays until the new one is complete: "
	                                      "remove it first"
	                                    : "");
}

/* How long that makes it is known only now: one bundle is as long as is drawn for it, volumes
 * are all of one length. */
static int wish_fill(struct pack *p, struct volumes_wish *wish)
{
	const char *directory = p->options.size.directory;
	struct format_geometry geometry;
	struct drive drive;
	unsigned count;
	uint64_t len;

	if (drive_look_at(&drive, directory))
		return failure_status(&p->failure, directory, STATUS_IO);
	p->fills_longest_file = layout_fill(&drive, wish->limit, &wish->least, &wish->size);
	if (format_geometry_make(&geometry, wish->least))
		return say_too_little(p);
	if (!wish->limit)
		return EXIT_DONE;
	wish->size = layout_draw(wish->least, wish->size);
	if (volumes_divide(wish, &count, &len))
		return failure_say(&p->failure, EXIT_USAGE, directory,
		                   "--size=fill: more than %d volumes of --volume-size",
		                   FORMAT_MAX_VOLUMES);
	return EXIT_DONE;
}

static int wish(struct pack *p, struct volumes_wish *wish)
{
	const struct options *o = &p->options;

	*wish = (struct volumes_wish){o->size.bytes, o->volume_size, 0};
	return o->size.kind == SIZE_FILL ? wish_fill(p, wish) : EXIT_DONE;
}

static int say_too_long(struct pack *p, bool has_size)
{
	char least[AMOUNT_ROOM];

	amount_needed(least, p->volumes.least);
	if (p->fills_longest_file)
		return failure_say(&p->failure, EXIT_UNFIT, p->options.size.directory,
		                   "the bundle needs " DRIVE_TOO_LONG VOLUMES_INSTEAD,
		                   p->volumes.least ? least : "more");
	if (has_size && p->volumes.least)
		return failure_say(&p->failure, EXIT_UNFIT, NULL,
		                   "the bundle needs %s, and --size leaves less", least);
	if (has_size)
		return failure_say(&p->failure, EXIT_UNFIT, NULL,
		                   "the bundle needs more than --size leaves");
	return failure_say(&p->failure, EXIT_FAILED, NULL, "too much for one bundle%s",
	                   p->options.volume_size ? "; make --volume-size larger" : "");
}

static int spread(struct pack *p)
{
	struct stage *stage[FORMAT_SLOTS];
	struct volumes_wish wanted;
	int status, code = wish(p, &wanted);

	for (unsigned i = 0; i < p->options.compartment_count; i++)
		stage[i] = p->compartment[i].stage;
	if (code)
		return code;
	status = volumes_plan(&p->volumes, stage, p->options.compartment_count, p->options.parity,
	                      &wanted);
	if (status == STATUS_TOOBIG)
		return say_too_long(p, wanted.size);
	if (status == STATUS_IO || status == STATUS_DAMAGED)
		return failure_culprit(&p->failure, p->options.spill, p->options.spill, status);
	return status ? failure_status(&p->failure, NULL, status) : EXIT_DONE;
}

/* What the bundle holds, and how much of it may be lost in one place. */
static void measure(struct pack *p)
{
	struct report *r = &p->report;

	r->parity = p->options.parity;
	r->low = p->volumes.low;
	r->high = p->volumes.high;
	r->volumes = p->volumes.count;
	r->burst = UINT64_MAX;
	for (unsigned i = 0; i < p->options.compartment_count; i++) {
		struct format_parity parity = {0};

		(void)layout_pages(&p->volumes.spread[i].most, &parity); /* it was planned */
		r->content += content_len(p, i);
		r->burst = min_u64(r->burst, (uint64_t)parity.m * parity.columns * FORMAT_PAGE);
	}
}

/* Whoever is made to open one compartment shows how much of the file it explains. */
static void warn_of_stories(const struct pack *p)
{
	const struct options *o = &p->options;

	for (unsigned i = 0; i < o->compartment_count && o->compartment_count > 1; i++) {
		uint64_t percent = p->volumes.spread[i].most.stream_len / (p->report.low / 100);

		if (percent < 10)
			diag_warn(NULL,
			          "warning: compartment %s fills %u %% of the bundle; whoever is "
			          "shown this one alone may ask what the rest is",
			          o->compartment[i].name, (unsigned)percent);
	}
}

int pack_plan(struct pack *p)
{
	int code = spread(p);

	if (code)
		return code;
	measure(p);
	warn_of_stories(p);
	return EXIT_DONE;
}
