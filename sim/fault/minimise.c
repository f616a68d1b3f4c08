/* See minimise.h.
 *
 *   best        the smallest scenario so far that fails; best.faults is an array of its own
 *   candidate   a copy with one thing less, in `faults`; accepted when it fails: it becomes the best
 *   tried       digests of the texts of all candidates, so that none is run twice
 *
 * A stage goes through its edits in a fixed order; an edit that helped is tried again, for what can
 * be halved many times. */
#include "sim/fault/minimise_edit.h"

#include "models/base/mem.h"
#include "models/base/rng.h"

#include <string.h>

#define MS INT64_C(1000000)
#define F(member) offsetof(struct ds_fault, member)
#define HORIZON_STEPS 8
#define EXPECTS_MAX 64

struct minimise {
    const struct ds_minimise *how;
    struct ds_minimised *out;
    struct ds_scenario best, candidate;
    struct ds_fault *faults; /* the candidate's; room for all */
    struct ds_group *groups; /* likewise */
    uint64_t *tried;         /* open addressing; 0 is free */
    size_t tried_count, tried_size;
    size_t faults_from;
    const char *stage;
    bool over, failed; /* out of calls or time; out of memory */
};

/* --- trying --------------------------------------------------------------------------------- */

/* True when it was not there before. */
static bool minimise_new(struct minimise *m, uint64_t digest)
{
    digest += digest == 0;
    size_t at = digest & (m->tried_size - 1);
    for (; m->tried[at] != 0; at = (at + 1) & (m->tried_size - 1))
        if (m->tried[at] == digest)
            return false;
    m->tried[at] = digest;
    m->tried_count++;
    return true;
}

static bool minimise_room(struct minimise *m)
{
    if (2 * (m->tried_count + 1) < m->tried_size)
        return true;
    uint64_t *old = m->tried;
    size_t size = m->tried_size;
    m->tried = dc_mem_alloc(2 * size, sizeof *m->tried);
    if (m->tried == NULL) {
        m->tried = old;
        m->failed = m->over = true;
        return false;
    }
    m->tried_size = 2 * size;
    m->tried_count = 0;
    for (size_t i = 0; i < size; i++)
        if (old[i] != 0)
            (void)minimise_new(m, old[i]);
    dc_mem_free(old);
    return true;
}

/* A fresh candidate: the best, with arrays that may be changed. */
static void minimise_begin(struct minimise *m)
{
    m->candidate = m->best;
    memcpy(m->faults, m->best.faults, m->best.faults_count * sizeof *m->faults);
    memcpy(m->groups, m->best.groups, m->best.groups_count * sizeof *m->groups);
    m->candidate.faults = m->faults;
    m->candidate.groups = m->groups;
}

static void minimise_accept(struct minimise *m)
{
    struct ds_fault *faults = m->best.faults;
    struct ds_group *groups = m->best.groups;
    memcpy(faults, m->faults, m->candidate.faults_count * sizeof *faults);
    memcpy(groups, m->groups, m->candidate.groups_count * sizeof *groups);
    m->best = m->candidate;
    m->best.faults = faults;
    m->best.groups = groups;
}

/* Runs the candidate, unless that was done before; when it fails it is the best from now on. */
static bool minimise_try(struct minimise *m)
{
    struct dc_text text = {0};
    if (m->over)
        return false;
    ds_scenario_print_brief(&m->candidate, &text);
    m->failed |= text.failed;
    uint64_t digest = text.failed ? 0 : dc_name(text.data);
    dc_text_free(&text);
    if (m->failed || !minimise_room(m)) {
        m->over = true;
        return false;
    }
    if (!minimise_new(m, digest)) {
        m->out->again++;
        return false;
    }
    if ((m->how->calls_max != 0 && m->out->calls >= m->how->calls_max) ||
        (m->how->over != NULL && m->how->over(m->how->ctx))) {
        m->over = true;
        return false;
    }
    m->out->calls++;
    bool fails = m->how->fails(m->how->ctx, &m->candidate);
    if (fails)
        minimise_accept(m);
    if (m->how->progress != NULL) {
        struct ds_minimise_progress p = {m->stage, m->out->calls, m->how->calls_max, m->faults_from,
                                         m->best.faults_count};
        m->how->progress(m->how->ctx, &p);
    }
    return fails;
}

/* --- faults --------------------------------------------------------------------------------- */

/* The candidate has of the best's faults those in [from, to), or those outside. */
static bool minimise_try_range(struct minimise *m, size_t from, size_t to, bool inside)
{
    minimise_begin(m);
    size_t count = 0;
    for (size_t i = 0; i < m->best.faults_count; i++)
        if ((i >= from && i < to) == inside)
            m->faults[count++] = m->best.faults[i];
    m->candidate.faults_count = count;
    return minimise_try(m);
}

static bool minimise_try_chunks(struct minimise *m, size_t chunks, bool inside)
{
    size_t count = m->best.faults_count;
    for (size_t i = 0; i < chunks; i++)
        if (minimise_try_range(m, i * count / chunks, (i + 1) * count / chunks, inside))
            return true;
    return false;
}

/* ddmin: a chunk alone; all but a chunk; smaller chunks. */
static void minimise_faults(struct minimise *m)
{
    m->stage = "faults";
    if (minimise_try_range(m, 0, 0, true)) /* without any */
        return;
    for (size_t chunks = 2; m->best.faults_count >= 2 && !m->over;) {
        if (minimise_try_chunks(m, chunks, true)) {
            chunks = 2;
        } else if (minimise_try_chunks(m, chunks, false)) {
            chunks = chunks > 3 ? chunks - 1 : 2;
        } else {
            if (chunks >= m->best.faults_count)
                return;
            chunks = 2 * chunks < m->best.faults_count ? 2 * chunks : m->best.faults_count;
        }
        if (chunks > m->best.faults_count)
            chunks = m->best.faults_count;
    }
}

/* --- edits of one fault --------------------------------------------------------------------- */

static bool minimise_fields(struct minimise *m, const char *stage,
                            const struct ds_minimise_field *fields)
{
    bool changed = false;
    m->stage = stage;
    for (size_t i = 0; i < m->best.faults_count; i++)
        for (size_t k = 0; fields[k].type != DS_MINIMISE_END; k++)
            for (int neutral = 1; neutral >= 0; neutral--)
                for (;;) {
                    minimise_begin(m);
                    if (!ds_minimise_edit(&m->faults[i], &fields[k], neutral != 0) ||
                        !minimise_try(m))
                        break;
                    changed = true;
                }
    return changed;
}

/* --- nodes ---------------------------------------------------------------------------------- */

/* The text of a union without its n-th member; NULL when it has no such member, or just one. */
static const char *minimise_without(struct minimise *m, const char *text, size_t n)
{
    const char *from = text, *end;
    size_t size = strlen(text);
    for (; n > 0 && from != NULL; n--) {
        from = strstr(from, ", ");
        from = from != NULL ? from + 2 : NULL;
    }
    if (from == NULL)
        return NULL;
    end = strstr(from, ", ");
    if (end == NULL && from == text)
        return NULL;
    char *out = dc_arena_alloc(&m->out->arena, size + 1);
    if (out == NULL) {
        m->failed = m->over = true;
        return NULL;
    }
    size_t head = (size_t)(from - text);
    if (end == NULL)
        head -= 2; /* the last one, and the comma before it */
    memcpy(out, text, head);
    if (end != NULL)
        memcpy(out + head, end + 2, size - (size_t)(end + 2 - text));
    return out;
}

/* Members of one selector go, while it still fails. */
static bool minimise_selector(struct minimise *m, size_t fault, size_t offset, size_t side)
{
    bool changed = false;
    for (size_t n = 0; !m->over;) {
        minimise_begin(m);
        struct ds_fault *f = &m->faults[fault];
        const struct ds_selector **at = (void *)((char *)f + offset);
        if (offset == F(groups)) {
            const struct ds_selector **sides =
                dc_arena_alloc(&m->out->arena, f->groups_count * sizeof *sides);
            if (sides == NULL || side >= f->groups_count)
                break;
            memcpy(sides, f->groups, f->groups_count * sizeof *sides);
            f->groups = sides;
            at = &sides[side];
        }
        const char *text = *at != NULL ? minimise_without(m, (*at)->text, n) : NULL;
        struct ds_selector *less =
            text == NULL ? NULL : dc_arena_alloc(&m->out->arena, sizeof *less);
        if (less == NULL)
            break;
        *less = **at;
        less->text = text;
        *at = less;
        if (minimise_try(m))
            changed = true;
        else
            n++;
    }
    return changed;
}

static bool minimise_selectors(struct minimise *m)
{
    static const size_t fields[] = {F(nodes), F(src), F(dst), F(attackers), F(victims)};
    bool changed = false;
    for (size_t i = 0; i < m->best.faults_count; i++) {
        for (size_t k = 0; k < sizeof fields / sizeof fields[0]; k++)
            changed |= minimise_selector(m, i, fields[k], 0);
        for (size_t side = 0; side < m->best.faults[i].groups_count; side++)
            changed |= minimise_selector(m, i, F(groups), side);
    }
    return changed;
}

/* How many nodes of each role there are follows from the groups. */
static void minimise_count(struct ds_scenario *s)
{
    s->nodes_count = s->validators_count = s->services_count = s->clients_count = 0;
    for (size_t i = 0; i < s->groups_count; i++) {
        struct ds_group *g = &s->groups[i];
        g->first = s->nodes_count;
        s->nodes_count += g->count;
        *(g->role == DS_ROLE_VALIDATOR ? &s->validators_count
          : g->role == DS_ROLE_SERVICE ? &s->services_count
                                       : &s->clients_count) += g->count;
    }
}

static bool minimise_try_count(struct minimise *m, size_t group, uint32_t count)
{
    minimise_begin(m);
    if (m->groups[group].count <= count)
        return false;
    m->groups[group].count = count;
    minimise_count(&m->candidate);
    return minimise_try(m);
}

/* Without the group. */
static bool minimise_try_group(struct minimise *m, size_t group)
{
    minimise_begin(m);
    memmove(&m->groups[group], &m->groups[group + 1],
            (m->best.groups_count - group - 1) * sizeof *m->groups);
    m->candidate.groups_count--;
    minimise_count(&m->candidate);
    return m->candidate.validators_count > 0 && minimise_try(m);
}

static bool minimise_nodes(struct minimise *m)
{
    m->stage = "nodes";
    bool changed = minimise_selectors(m);
    for (size_t i = m->best.groups_count; i-- > 0 && !m->over;) {
        if (minimise_try_group(m, i)) {
            changed = true;
            continue;
        }
        while (minimise_try_count(m, i, m->best.groups[i].count / 2))
            changed = true;
        while (m->best.groups[i].count > 1 && minimise_try_count(m, i, m->best.groups[i].count - 1))
            changed = true;
    }
    return changed;
}

/* --- horizon -------------------------------------------------------------------------------- */

/* The run ends at end_ns: with a heal, that and the end come earlier together. */
static bool minimise_try_end(struct minimise *m, int64_t end_ns)
{
    minimise_begin(m);
    struct ds_scenario *c = &m->candidate;
    end_ns -= end_ns % (100 * MS);
    if (end_ns <= 0)
        return false;
    if (c->heal.given) {
        int64_t after_ns = c->duration_ns - c->heal.at_ns;
        c->heal.at_ns = end_ns;
        end_ns += after_ns;
    }
    c->duration_epochs = 0;
    c->duration_ns = end_ns;
    c->max_time_ns = 0;
    return minimise_try(m);
}

/* What the run still expects at its end may go too: the invariants are checked all the same. */
static bool minimise_expects(struct minimise *m)
{
    struct ds_expect *kept;
    minimise_begin(m);
    m->candidate.expects_count = 0;
    if (minimise_try(m))
        return true;
    bool changed = false;
    for (size_t i = 0; i < m->best.expects_count && i < EXPECTS_MAX && !m->over;) {
        minimise_begin(m);
        kept = dc_arena_alloc(&m->out->arena, m->best.expects_count * sizeof *kept);
        if (kept == NULL)
            break;
        size_t count = 0;
        for (size_t k = 0; k < m->best.expects_count; k++)
            if (k != i)
                kept[count++] = m->best.expects[k];
        m->candidate.expects = kept;
        m->candidate.expects_count = count;
        if (minimise_try(m))
            changed = true;
        else
            i++;
    }
    return changed;
}

static bool minimise_heal(struct minimise *m)
{
    m->stage = "horizon";
    minimise_begin(m);
    m->candidate.heal = (struct ds_heal){0};
    return m->best.heal.given && minimise_try(m);
}

static bool minimise_horizon(struct minimise *m)
{
    m->stage = "horizon";
    bool changed = minimise_expects(m);
    if (m->best.duration_ns == 0) /* in epochs: left as it is */
        return changed;
    int64_t high_ns = m->best.heal.given ? m->best.heal.at_ns : m->best.duration_ns, low_ns = 0;
    for (int step = 0; step < HORIZON_STEPS && !m->over; step++) {
        int64_t middle_ns = low_ns + (high_ns - low_ns) / 2;
        if (minimise_try_end(m, middle_ns)) {
            changed = true;
            high_ns = middle_ns;
        } else {
            low_ns = middle_ns;
        }
    }
    return changed;
}

/* --- the whole ------------------------------------------------------------------------------ */

static void minimise_stages(struct minimise *m)
{
    minimise_faults(m);
    m->out->faults_calls = m->out->calls;
    for (int pass = 0; pass < 4 && !m->over; pass++) {
        bool changed = minimise_heal(m);
        changed |= minimise_fields(m, "durations", ds_minimise_durations);
        changed |= minimise_nodes(m);
        changed |= minimise_fields(m, "magnitudes", ds_minimise_magnitudes);
        changed |= minimise_horizon(m);
        if (!changed)
            break;
        minimise_faults(m);
    }
    m->out->complete = !m->over;
}

static bool minimise_create(struct minimise *m, const struct ds_scenario *from)
{
    size_t faults = from->faults_count, groups = from->groups_count;
    m->tried_size = 1024;
    m->tried = dc_mem_alloc(m->tried_size, sizeof *m->tried);
    m->faults = dc_mem_alloc(faults, sizeof *m->faults);
    m->groups = dc_mem_alloc(groups, sizeof *m->groups);
    m->best = *from;
    m->best.faults = dc_arena_alloc(&m->out->arena, (faults + 1) * sizeof *m->faults);
    m->best.groups = dc_arena_alloc(&m->out->arena, (groups + 1) * sizeof *m->groups);
    if (m->tried == NULL || m->faults == NULL || m->groups == NULL || m->best.faults == NULL ||
        m->best.groups == NULL)
        return false;
    if (faults > 0)
        memcpy(m->best.faults, from->faults, faults * sizeof *m->faults);
    memcpy(m->best.groups, from->groups, groups * sizeof *m->groups);
    m->faults_from = faults;
    m->stage = "as it is";
    return true;
}

enum dc_status ds_minimise(const struct ds_minimise *how, const struct ds_scenario *from,
                           struct ds_minimised *out, struct dc_error *error)
{
    *out = (struct ds_minimised){0};
    struct minimise m = {.how = how, .out = out};
    enum dc_status status = DC_OK;
    bool made = minimise_create(&m, from);
    if (made) {
        minimise_begin(&m);
        if (!minimise_try(&m) && !m.failed)
            status = dc_error_set(error, DC_ERR_USAGE,
                                  "%s does not fail by itself: nothing to minimise", from->name);
        else
            minimise_stages(&m);
    }
    if (!made || m.failed)
        status = dc_error_set(error, DC_ERR_IO, "out of memory for minimising %s", from->name);
    out->scenario = m.best;
    dc_mem_free(m.tried);
    dc_mem_free(m.faults);
    dc_mem_free(m.groups);
    return status;
}

void ds_minimised_free(struct ds_minimised *minimised)
{
    dc_arena_free(&minimised->arena);
    *minimised = (struct ds_minimised){0};
}
