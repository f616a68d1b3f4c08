/* All checkers of a run: one state each, in the order of enum ds_check, and the report that they
 * write.  What is fed in goes to those that have a function for it. */
#include "sim/check/check.h"

#include <stdarg.h>
#include <stdio.h>

#include "models/base/mem.h"

void ds_check_plain_init(void *state, const struct ds_check_config *config,
                         struct ds_check_report *report)
{
    (void)config;
    ((struct ds_check_plain *)state)->report = report;
}

const struct ds_check_class *const ds_check_classes[DS_CHECKS] = {
    [DS_CHECK_AGREEMENT] = &ds_check_agreement,
    [DS_CHECK_PREFIX] = &ds_check_prefix,
    [DS_CHECK_CERTIFICATES] = &ds_check_certificates,
    [DS_CHECK_VOTES] = &ds_check_votes,
    [DS_CHECK_EXECUTION] = &ds_check_execution,
    [DS_CHECK_MONEY] = &ds_check_money,
    [DS_CHECK_SLASHING] = &ds_check_slashing,
    [DS_CHECK_ACCOUNTABLE] = &ds_check_accountable,
    [DS_CHECK_CHALLENGES] = &ds_check_challenges,
    [DS_CHECK_MESSAGES] = &ds_check_messages,
    [DS_CHECK_BOUNDS] = &ds_check_bounds,
    [DS_CHECK_LIVENESS] = &ds_check_liveness,
};

struct ds_checks {
    struct ds_check_config config;
    struct ds_check_report report;
    void *state[DS_CHECKS];
};

void ds_check_tell(struct ds_check_report *r, enum ds_check which, int64_t time_ns,
                   const char *format, ...)
{
    if (r->first == DS_CHECKS)
        r->first = which;
    if (r->count[which]++ != 0)
        return;
    r->time_ns[which] = time_ns;
    char *text = r->text[which];
    int n = snprintf(text, DS_CHECK_TEXT_BYTES, "at %.6f s: %s: ", (double)time_ns / 1e9,
                     ds_check_classes[which]->name);
    va_list args;
    va_start(args, format);
    vsnprintf(text + n, DS_CHECK_TEXT_BYTES - (size_t)n, format, args);
    va_end(args);
}

void ds_check_add(struct ds_check_report *r, enum ds_check which, const char *format, ...)
{
    char *text = r->text[which];
    size_t n = strlen(text);
    va_list args;
    va_start(args, format);
    vsnprintf(text + n, DS_CHECK_TEXT_BYTES - n, format, args);
    va_end(args);
}

struct ds_checks *ds_checks_create(const struct ds_check_config *config)
{
    struct ds_checks *c = dc_mem_need(1, sizeof *c, "invariants");
    c->config = *config;
    c->report.first = DS_CHECKS;
    for (int i = 0; i < DS_CHECKS; i++) {
        c->state[i] = dc_mem_need(1, ds_check_classes[i]->state_bytes, "an invariant");
        ds_check_classes[i]->init(c->state[i], &c->config, &c->report);
    }
    return c;
}

void ds_checks_free(struct ds_checks *c)
{
    if (c == NULL)
        return;
    for (int i = 0; i < DS_CHECKS; i++) {
        if (ds_check_classes[i]->free != NULL)
            ds_check_classes[i]->free(c->state[i]);
        dc_mem_free(c->state[i]);
    }
    dc_mem_free(c);
}

const struct ds_check_report *ds_checks_report(const struct ds_checks *c)
{
    return &c->report;
}

uint64_t ds_checks_violations(const struct ds_checks *c)
{
    uint64_t sum = 0;
    for (int i = 0; i < DS_CHECKS; i++)
        sum += c->report.count[i];
    return sum;
}

#define FEED(verb, ...)                                                                            \
    for (int i = 0; i < DS_CHECKS; i++)                                                            \
        if (ds_check_classes[i]->verb != NULL)                                                     \
    ds_check_classes[i]->verb(c->state[i], __VA_ARGS__)

void ds_checks_commit(struct ds_checks *c, const struct ds_check_commit *commit)
{
    uint64_t before = c->report.count[DS_CHECK_AGREEMENT];
    FEED(commit, commit);
    if (c->report.count[DS_CHECK_AGREEMENT] == before)
        return;
    const struct ds_check_fork fork = {commit->time_ns, commit->height, commit->node};
    FEED(fork, &fork);
}

void ds_checks_conflict(struct ds_checks *c, const struct ds_check_fork *f)
{
    ds_check_tell(&c->report, DS_CHECK_AGREEMENT, f->time_ns,
                  "node %u met a certificate that contradicts its final chain at height %llu",
                  f->node, (unsigned long long)f->height);
    FEED(fork, f);
}

void ds_checks_signed(struct ds_checks *c, const struct ds_check_signed *s)
{
    FEED(signed_, s);
}

void ds_checks_committee(struct ds_checks *c, const struct ds_check_committee *as_drawn,
                         const struct ds_check_committee *as_used, int64_t time_ns)
{
    FEED(committee, as_drawn, as_used, time_ns);
}

void ds_checks_certificate(struct ds_checks *c, const struct ds_check_certificate *certificate)
{
    FEED(certificate, certificate);
}

void ds_checks_block(struct ds_checks *c, const struct ds_check_block *b)
{
    FEED(block, b);
}

void ds_checks_follow(struct ds_checks *c, const struct ds_check_follow *f)
{
    FEED(follow, f);
}

void ds_checks_caught(struct ds_checks *c, const struct ds_check_caught *caught)
{
    FEED(caught, caught);
}

void ds_checks_heard(struct ds_checks *c, const struct ds_check_heard *h)
{
    FEED(heard, h);
}

void ds_checks_traffic(struct ds_checks *c, const struct ds_check_traffic *t)
{
    FEED(traffic, t);
}

void ds_checks_level(struct ds_checks *c, const struct ds_check_level *l)
{
    FEED(level, l);
}

void ds_checks_moment(struct ds_checks *c, const struct ds_check_moment *m)
{
    FEED(moment, m);
}

void ds_checks_end(struct ds_checks *c, int64_t time_ns)
{
    FEED(end, time_ns);
}
