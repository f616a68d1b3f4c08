/* What tests of checkers share: making all checkers, counting what they told, and short ways to
 * feed them. */
#ifndef TESTS_CHECK_FEED_H
#define TESTS_CHECK_FEED_H

#include "models/base/rng.h"
#include "models/crypto/crypto.h"
#include "sim/check/check.h"
#include "tests/support/harness.h"

#include <stdio.h>
#include <string.h>

/* Told so often of that invariant, and of no other. */
static inline void feed_told(const struct ds_checks *c, enum ds_check which, uint64_t times)
{
    const struct ds_check_report *r = ds_checks_report(c);
    for (int i = 0; i < DS_CHECKS; i++) {
        uint64_t wanted = i == (int)which ? times : 0;
        if (r->count[i] != wanted)
            fprintf(stderr, "%s: %llu instead of %llu: %s\n", ds_check_classes[i]->name,
                    (unsigned long long)r->count[i], (unsigned long long)wanted, r->text[i]);
        CU_ASSERT_EQUAL(r->count[i], wanted);
    }
    CU_ASSERT_EQUAL(r->first, times != 0 ? which : DS_CHECKS);
}

static inline void feed_silent(const struct ds_checks *c)
{
    feed_told(c, DS_CHECKS, 0);
}

/* The text of the first has this in it. */
static inline void feed_says(const struct ds_checks *c, enum ds_check which, const char *what)
{
    const char *text = ds_checks_report(c)->text[which];
    if (strstr(text, what) == NULL)
        fprintf(stderr, "no \"%s\" in: %s\n", what, text);
    CU_ASSERT_PTR_NOT_NULL(strstr(text, what));
}

static inline struct dc_hash feed_id(uint64_t n)
{
    return dc_hash_bytes(DC_DOMAIN_TEST, &n, sizeof n);
}

static inline bool feed_excuse_last(const void *ctx, uint32_t node)
{
    return node == *(const uint32_t *)ctx;
}

static inline struct ds_checks *feed_make(uint32_t nodes)
{
    struct ds_check_config config = {.nodes = nodes, .voters = nodes, .epoch_blocks = 10};
    return ds_checks_create(&config);
}

#endif
