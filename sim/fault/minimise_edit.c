/* What can be less about one fault; see minimise_edit.h. */
#include "sim/fault/minimise_edit.h"

#include <stddef.h>
#include <string.h>

#define MS INT64_C(1000000)
#define F(member) offsetof(struct ds_fault, member)

/* Half, with two digits; 0 when there is nothing left to halve. */
static int64_t minimise_half(int64_t value, int64_t least)
{
    int64_t half = value / 2, step = 1;
    while (half / step >= 100)
        step *= 10;
    half -= half % step;
    return half < least ? 0 : half;
}

const struct ds_minimise_field ds_minimise_durations[] = {
    {F(every), DS_MINIMISE_DIST, true},
    {F(times), DS_MINIMISE_TIMES, false},
    {F(reselect_ns), DS_MINIMISE_TIME, true},
    {F(notice_ns), DS_MINIMISE_TIME, true},
    {F(restart_ns), DS_MINIMISE_TIME, false},
    {F(for_ns), DS_MINIMISE_TIME, false},
    {0, DS_MINIMISE_END, false},
};
const struct ds_minimise_field ds_minimise_magnitudes[] = {
    {F(ahead_ns), DS_MINIMISE_TIME, true},
    {F(behind_ns), DS_MINIMISE_TIME, true},
    {F(rate), DS_MINIMISE_REAL, true},
    {F(latency_factor), DS_MINIMISE_REAL, true},
    {F(latency_add_ns), DS_MINIMISE_TIME, true},
    {F(latency), DS_MINIMISE_DIST, true},
    {F(loss), DS_MINIMISE_SHARE, true},
    {F(burst_loss), DS_MINIMISE_SHARE, true},
    {F(duplicate), DS_MINIMISE_SHARE, true},
    {F(reorder), DS_MINIMISE_SHARE, true},
    {F(corrupt), DS_MINIMISE_SHARE, true},
    {F(replay), DS_MINIMISE_SHARE, true},
    {F(bandwidth_factor), DS_MINIMISE_REAL, true},
    {F(factor), DS_MINIMISE_REAL, true},
    {F(reorder_by_ns), DS_MINIMISE_TIME, false},
    {F(replay_after_ns), DS_MINIMISE_TIME, false},
    {F(delay_ns), DS_MINIMISE_TIME, false},
    {0, DS_MINIMISE_END, false},
};

static bool minimise_edit_time(char *field, bool neutral)
{
    int64_t v;
    memcpy(&v, field, sizeof v);
    int64_t less = neutral ? 0 : minimise_half(v, MS);
    if (v == 0 || (less == 0 && !neutral))
        return false;
    memcpy(field, &less, sizeof less);
    return true;
}

static bool minimise_edit_share(char *field, bool neutral)
{
    dc_q31 v;
    memcpy(&v, field, sizeof v);
    dc_q31 less = neutral ? 0 : v / 2 & ~((dc_q31)0xffffff); /* in 128ths */
    if (v == 0 || (less == 0 && !neutral))
        return false;
    memcpy(field, &less, sizeof less);
    return true;
}

static bool minimise_edit_real(char *field, bool neutral)
{
    double v;
    memcpy(&v, field, sizeof v);
    double less = neutral ? 1 : (double)(uint64_t)(v / 2);
    if (v == 1 || (!neutral && less <= 1))
        return false;
    memcpy(field, &less, sizeof less);
    return true;
}

static bool minimise_edit_dist(struct ds_fault *f, const struct ds_minimise_field *field,
                               bool neutral)
{
    struct ds_dist_spec *spec = (void *)((char *)f + field->offset);
    if (!neutral || spec->kind == DS_DIST_NONE)
        return false;
    *spec = (struct ds_dist_spec){.kind = DS_DIST_NONE, .text = "none"};
    if (field->offset == F(every))
        f->times = UINT32_MAX;
    return true;
}

static bool minimise_edit_times(struct ds_fault *f)
{
    if (f->every.kind == DS_DIST_NONE || f->times <= 2)
        return false;
    f->times = f->times == UINT32_MAX ? 64 : f->times / 2;
    return true;
}

bool ds_minimise_edit(struct ds_fault *f, const struct ds_minimise_field *field, bool neutral)
{
    char *at = (char *)f + field->offset;
    if (neutral && !field->gone)
        return false;
    switch (field->type) {
    case DS_MINIMISE_TIME: return minimise_edit_time(at, neutral);
    case DS_MINIMISE_SHARE: return minimise_edit_share(at, neutral);
    case DS_MINIMISE_REAL: return minimise_edit_real(at, neutral);
    case DS_MINIMISE_DIST: return minimise_edit_dist(f, field, neutral);
    case DS_MINIMISE_TIMES: return minimise_edit_times(f);
    case DS_MINIMISE_END: break;
    }
    return false;
}
