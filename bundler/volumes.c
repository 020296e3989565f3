#include "bundler/volumes.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bundler/stage.h"
#include "common/bytes.h"
#include "common/status.h"

enum { SHORTFALL = 100, SMALLEST_SLACK = 1024 };

/* --- one compartment -------------------------------------------------------- */

/* Cut the content so that no volume has more than its even share and slack, nor less
 * than lets the others keep to that.  Cuts through a file may miss it by a frame. */
static int cut_content(const struct stage *stage, unsigned count, uint64_t slack, uint64_t *cut)
{
	uint64_t total = stage_content(stage)->content_len, most = div_ceil(total, count) + slack;
	int status = STATUS_OK;

	cut[0] = 0;
	cut[count] = total;
	for (unsigned v = 1; v < count && status == STATUS_OK; v++) {
		uint64_t left = total - cut[v - 1], behind = (count - v) * most;
		uint64_t wish = cut[v - 1] + left / (count - v + 1);
		uint64_t low = total > behind ? total - behind : 0;

		low = min_u64(max_u64(low, cut[v - 1] + 1), wish);
		status = stage_cut(stage, low, wish, max_u64(cut[v - 1] + most, wish), &cut[v]);
	}
	return status;
}

static int find_most(struct spread *s, const struct stage *stage, unsigned count)
{
	s->most.stream_len = 0;
	for (unsigned v = 0; v < count; v++) {
		uint64_t len;
		int status = stage_stream_len(stage, s->cut[v], s->cut[v + 1], &len);

		if (status)
			return status;
		s->most.stream_len = max_u64(s->most.stream_len, len);
	}
	return STATUS_OK;
}

/* Would it fit into volumes of that length, alone? */
static bool fits(const struct layout_demand *demand, uint64_t len)
{
	uint64_t least;

	return layout_min_len(demand, 1, &least) == STATUS_OK && least <= len;
}

/* Of all slacks the largest that fits.  STATUS_TOOBIG: not even none does; it is then
 * spread all the same. */
static int spread(struct spread *s, const struct stage *stage, unsigned count, uint64_t len)
{
	uint64_t share = div_ceil(stage_content(stage)->content_len, count);
	int status = STATUS_OK;

	for (unsigned part = 1; status == STATUS_OK; part *= 2) {
		bool last = count == 1 || part > SMALLEST_SLACK;

		status = cut_content(stage, count, last ? 0 : share / part, s->cut);
		if (status == STATUS_OK)
			status = find_most(s, stage, count);
		if (status || fits(&s->most, len))
			break;
		if (last)
			status = STATUS_TOOBIG;
	}
	return status;
}

/* --- all of them ------------------------------------------------------------ */

/* Spread all over that many volumes, which need not be longer than len. */
static int spread_all(struct volumes *v, struct stage *const *stage, unsigned stages,
                      unsigned parity, uint64_t len)
{
	struct layout_demand most[FORMAT_SLOTS];
	int status = STATUS_OK, own = STATUS_OK;
	uint64_t least = 0;

	for (unsigned i = 0; i < stages && (own == STATUS_OK || own == STATUS_TOOBIG); i++) {
		v->spread[i].most.parity = parity;
		own = spread(&v->spread[i], stage[i], v->count, len);
		most[i] = v->spread[i].most;
		if (own)
			status = own;
	}
	if (status && status != STATUS_TOOBIG)
		return status;
	if (layout_min_len(most, stages, &least))
		least = 0;
	v->least = least * v->count;
	return least && least <= len ? status : STATUS_TOOBIG;
}

/* Volumes of a given length.  If that does not do: several compartments would in
 * longer ones get more to keep their files whole, and it is that which must fit. */
static int plan_divided(struct volumes *v, struct stage *const *stage, unsigned stages,
                        unsigned parity, const struct volumes_wish *wish)
{
	int status = volumes_divide(wish, &v->count, &v->low);

	v->high = v->low;
	if (status)
		return status;
	status = spread_all(v, stage, stages, parity, v->low);
	if (status == STATUS_TOOBIG && stages > 1)
		(void)spread_all(v, stage, stages, parity, FORMAT_MAX_FILE);
	if (v->least > v->count * wish->limit)
		v->least = 0; /* then it is another number of volumes */
	return status;
}

/* The smallest number of volumes of that length which may do: the content in even
 * parts, the index in each. */
static unsigned fewest(struct stage *const *stage, unsigned stages, unsigned parity, uint64_t len)
{
	for (unsigned count = 1; count <= FORMAT_MAX_VOLUMES; count++) {
		struct layout_demand even[FORMAT_SLOTS];
		uint64_t least;

		for (unsigned i = 0; i < stages; i++) {
			const struct format_content *c = stage_content(stage[i]);

			even[i].stream_len = div_ceil(c->content_len, count) + c->index_len;
			even[i].parity = parity;
		}
		if (layout_min_len(even, stages, &least) == STATUS_OK && least <= len)
			return count;
	}
	return FORMAT_MAX_VOLUMES + 1;
}

static int plan_one(struct volumes *v, struct stage *const *stage, unsigned stages, unsigned parity,
                    const struct volumes_wish *wish)
{
	int status;

	v->count = 1;
	v->low = wish->least ? wish->least : wish->size;
	v->high = wish->size;
	status = spread_all(v, stage, stages, parity, v->low ? v->low : FORMAT_MAX_FILE);
	if (status == STATUS_OK && !v->high)
		layout_padded_range(v->least, &v->low, &v->high);
	return status;
}

/* As many as the shortest length that may be drawn takes. */
static int plan_set(struct volumes *v, struct stage *const *stage, unsigned stages, unsigned parity,
                    uint64_t limit)
{
	int status = STATUS_TOOBIG;

	v->high = limit;
	v->low = limit - limit / SHORTFALL;
	v->count = fewest(stage, stages, parity, v->low);
	for (; v->count <= FORMAT_MAX_VOLUMES && status == STATUS_TOOBIG; v->count++) {
		status = spread_all(v, stage, stages, parity, v->low);
		if (status == STATUS_OK)
			return status;
	}
	v->least = 0;
	return status;
}

static int plan(struct volumes *v, struct stage *const *stage, unsigned stages, unsigned parity,
                const struct volumes_wish *wish)
{
	int status;

	if (wish->size && wish->limit)
		return plan_divided(v, stage, stages, parity, wish);
	status = plan_one(v, stage, stages, parity, wish);
	if (!wish->limit || (status == STATUS_OK && v->high <= wish->limit))
		return status;
	return status && status != STATUS_TOOBIG ? status
	                                         : plan_set(v, stage, stages, parity, wish->limit);
}

int volumes_divide(const struct volumes_wish *wish, unsigned *count, uint64_t *len)
{
	uint64_t needed = div_ceil(wish->size, wish->limit);

	if (needed > FORMAT_MAX_VOLUMES)
		return STATUS_TOOBIG;
	*count = (unsigned)needed;
	*len = wish->size / needed;
	return STATUS_OK;
}

int volumes_plan(struct volumes *volumes, struct stage *const *stage, unsigned count,
                 unsigned parity, const struct volumes_wish *wish)
{
	struct volumes v = {.spread = calloc(count, sizeof(*v.spread))};
	int status = v.spread ? plan(&v, stage, count, parity, wish) : STATUS_NOMEM;

	if (status)
		volumes_fini(&v);
	*volumes = v;
	return status;
}

void volumes_fini(struct volumes *volumes)
{
	free(volumes->spread);
	volumes->spread = NULL;
}

int volumes_name(char *out, size_t size, const char *path, unsigned no, unsigned count)
{
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
	const char *dot = strrchr(name, '.'), *end = dot && dot > name ? dot : name + strlen(name);
	int len;

	if (count == 1)
		len = snprintf(out, size, "%s", path);
	else
		len = snprintf(out, size, "%.*s-%u%s", (int)(end - path), path, no + 1, end);
	return len < 0 || (size_t)len >= size ? STATUS_TOOBIG : STATUS_OK;
}
