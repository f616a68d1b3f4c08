/* Benjamini-Hochberg without sorting.  p meets the bound fdr i / h from some i on; call the least
 * such i its step.  p_(i) <= fdr i / h says that at least i hypotheses have a step of at most i:
 *
 *   step of each --> count per step --> running sum --> largest i with sum(i) >= i
 *
 * and the hypotheses with a step of at most that i are the i smallest p-values. */
#include "models/anomaly/fdr.h"

#include "models/base/mem.h"

struct dc_pvalue dc_pvalue_times(struct dc_pvalue p, uint32_t factor)
{
    uint64_t rank = (uint64_t)p.rank * factor;
    return (struct dc_pvalue){rank < p.of ? (uint32_t)rank : p.of, p.of};
}

/* The least i in [1, h] with p <= fdr i / h, or h + 1. */
static uint32_t fdr_step(struct dc_pvalue p, uint32_t h, dc_q31 fdr)
{
    if (fdr == 0)
        return h + 1;
    unsigned __int128 need = ((unsigned __int128)p.rank * h << 31);
    unsigned __int128 each = (unsigned __int128)fdr * p.of;
    unsigned __int128 i = (need + each - 1) / each;
    return i > h ? h + 1 : i == 0 ? 1 : (uint32_t)i;
}

uint32_t dc_fdr_flag(const struct dc_pvalue *p, uint32_t n, dc_q31 fdr, uint8_t *flag)
{
    uint32_t h = 0, sum = 0, last = 0;
    for (uint32_t i = 0; i < n; i++)
        h += p[i].of != 0;
    uint32_t *count = dc_mem_need((size_t)h + 2, sizeof *count, "the steps of p-values");
    for (uint32_t i = 0; i < n; i++)
        if (p[i].of != 0)
            count[fdr_step(p[i], h, fdr)]++;
    for (uint32_t i = 1; i <= h; i++) {
        sum += count[i];
        if (sum >= i)
            last = i;
    }
    dc_mem_free(count);
    uint32_t flags = 0;
    for (uint32_t i = 0; i < n; i++) {
        flag[i] = p[i].of != 0 && fdr_step(p[i], h, fdr) <= last;
        flags += flag[i];
    }
    return flags;
}
