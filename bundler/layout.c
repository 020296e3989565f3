#include "bundler/layout.h"

#include <sodium.h>
#include <string.h>

#include "common/bytes.h"
#include "common/drive.h"
#include "common/status.h"

enum { JITTER_MIN = 65536, SLICES_AFTER_DOUBLING = FORMAT_MAX_SLICES / 2 };

int layout_pages(const struct layout_demand *demand, struct format_parity *parity)
{
	uint64_t pages = max_u64(div_ceil(demand->stream_len, FORMAT_PAYLOAD), 1);

	if (pages > UINT32_MAX || format_parity_make(parity, demand->parity, (uint32_t)pages))
		return STATUS_TOOBIG;
	return STATUS_OK;
}

/* Slices of that many pages for one compartment. */
static int slices_for(const struct layout_demand *demand, uint64_t slice_pages, uint64_t *slices)
{
	struct format_parity parity;
	int status = layout_pages(demand, &parity);

	if (status == STATUS_OK)
		*slices = max_u64(
			div_ceil((uint64_t)parity.data_pages + parity.parity_pages + FORMAT_ROOTS,
		                 slice_pages),
			FORMAT_MIN_SLICES);
	return status;
}

static int slices_for_all(const struct layout_demand *demand, unsigned count, uint64_t slice_pages,
                          uint64_t *slices)
{
	int status = STATUS_OK;

	*slices = 0;
	for (unsigned i = 0; i < count && status == STATUS_OK; i++) {
		uint64_t own = 0;

		status = slices_for(&demand[i], slice_pages, &own);
		*slices += own;
	}
	return status;
}

/* With K slices needed of the smallest size of which 8,192 suffice, a file of K
 * slices is cut into just these.  A longer one may be cut into half as many, a
 * little over 4,096, and each compartment loses up to a slice by that: so that
 * this cannot matter, no more than 4,096 may be needed of any larger size.  How
 * many that is falls from size to size. */
int layout_min_len(const struct layout_demand *demand, unsigned count, uint64_t *len)
{
	uint64_t slice_pages = 1, slices = 0, doubled;
	int status = count > FORMAT_SLOTS ? STATUS_TOOBIG
	                                  : slices_for_all(demand, count, slice_pages, &slices);

	while (status == STATUS_OK) {
		status = slices_for_all(demand, count, 2 * slice_pages, &doubled);
		if (status || (slices <= FORMAT_MAX_SLICES && doubled <= SLICES_AFTER_DOUBLING))
			break;
		slice_pages *= 2;
		slices = doubled;
	}
	if (status)
		return status;
	*len = 2 * FORMAT_HEADER + slices * slice_pages * FORMAT_PAGE;
	return *len > FORMAT_MAX_FILE ? STATUS_TOOBIG : STATUS_OK;
}

static unsigned log2_floor(uint64_t v)
{
	return 63 - (unsigned)__builtin_clzll(v);
}

void layout_padded_range(uint64_t len, uint64_t *low, uint64_t *high)
{
	unsigned exponent = log2_floor(len | 2), digits = log2_floor(exponent) + 1;
	uint64_t step = UINT64_C(1) << (exponent - digits);

	*low = min_u64((len + step - 1) & ~(step - 1), FORMAT_MAX_FILE);
	*high = min_u64(*low + max_u64(step, JITTER_MIN), FORMAT_MAX_FILE);
}

uint64_t layout_draw(uint64_t low, uint64_t high)
{
	uint64_t span = high - low, mask = UINT64_MAX, drawn;

	if (span == 0)
		return low;
	mask >>= 63 - log2_floor(span);
	do {
		randombytes_buf(&drawn, sizeof(drawn));
		drawn &= mask;
	} while (drawn > span);
	return low + drawn;
}

/* Every volume but one may waste most of a cluster. */
static uint64_t usable(const struct drive *drive, uint64_t volume)
{
	uint64_t wasted = volume ? drive->free / volume * drive->cluster : 0;

	return min_u64(drive->free - min_u64(wasted, drive->free),
	               volume ? FORMAT_MAX_FILE : drive->longest);
}

bool layout_fill(const struct drive *drive, uint64_t volume, uint64_t *low, uint64_t *high)
{
	uint64_t bytes = usable(drive, volume);

	*low = bytes - bytes / 100;
	*high = bytes - bytes / 1000;
	return !volume && drive->longest < FORMAT_MAX_FILE && bytes == drive->longest;
}

/* Fisher and Yates. */
static void shuffle(uint8_t *owner, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		uint32_t other = i + randombytes_uniform(count - i);
		uint8_t drawn = owner[other];

		owner[other] = owner[i];
		owner[i] = drawn;
	}
}

int layout_deal(const struct format_geometry *geometry, const struct layout_demand *demand,
                unsigned count, uint8_t owner[static FORMAT_MAX_SLICES])
{
	uint64_t dealt = 0, own = 0;

	memset(owner, LAYOUT_NOBODY, FORMAT_MAX_SLICES);
	for (unsigned i = 0; i < count; i++, dealt += own) {
		if (slices_for(&demand[i], geometry->slice_pages, &own) ||
		    own > geometry->slice_count - dealt)
			return STATUS_TOOBIG;
		memset(owner + dealt, (int)i, own);
	}
	shuffle(owner, geometry->slice_count);
	return STATUS_OK;
}
