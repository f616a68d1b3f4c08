/* Systematic Twins testing of consensus (Bano et al. 2020, "Twins: BFT Systems Made Robust").
 *
 *   n validators of equal power, f = floor((n - 1) / 3) of them twins: a second instance with the
 *   same keys, both running models/consensus unmodified, on the real ledger
 *
 *       instances   0  1  2  3 | 0'            n = 4, f = 1
 *       a scenario  for each round 1 .. R: a leader, and a partition of all instances in two
 *
 * A message sent in round r is delivered when its sender and receiver are on the same side in r's
 * partition; after round R, or after as long as R rounds can take, everything is connected.  Where
 * the twin leads both of its instances lead, and their blocks differ.  A scenario is good when
 *
 *   safety     no two honest instances hold different blocks final at one height
 *   votes      no honest instance signs twice, votes in a round that it has timed out in, for a
 *              block whose QC is lower than one that its TC tells of, or names as committed what
 *              was not certified in the round before
 *   evidence   an instance that gets both of a twin's votes of a round tells so, and tells it of
 *              twins alone
 *   form       no instance refuses what another one sent: all run the same code
 *   liveness   when the network has healed all honest instances commit something new within
 *              3 n + 8 periods of the round timer
 *
 * Scenarios are numbered: a number's digits in base n x 2^(n + f - 1), the first round's first, are
 * leader + n x partition; bit i - 1 of a partition is the side of instance i, and instance 0 is on
 * side 0.  So each two-way partition, all on one side included, is counted once.
 *
 * What a scenario computes is a function of its number alone.  The store is shared by scenarios,
 * because what it remembers is: a block's id covers all that its execution depends on. */
#ifndef SIM_WORLD_TWINS_H
#define SIM_WORLD_TWINS_H

#include "models/base/status.h"
#include "models/base/text.h"

#define DS_TWINS_VALIDATORS_MIN 4
#define DS_TWINS_VALIDATORS_MAX 7
#define DS_TWINS_ROUNDS_MAX 10

struct ds_twins_config {
    uint32_t validators, rounds;
    uint32_t epoch_blocks; /* 0: no epoch ends; else at least 3: seals and hand-overs too */
    uint32_t mutant;       /* enum dc_mutant; builds with mutants alone */
};

enum ds_twins_fault {
    DS_TWINS_GOOD,
    DS_TWINS_AGREEMENT, /* two blocks final at one height */
    DS_TWINS_CONFLICT,  /* a certificate commits what does not execute */
    DS_TWINS_TWO_VOTES,
    DS_TWINS_TWO_PROPOSALS,
    DS_TWINS_LATE_VOTE,      /* in a round that was timed out */
    DS_TWINS_VOTE_RULE,      /* for a block below the lock, or naming what it does not commit */
    DS_TWINS_NO_EVIDENCE,    /* both of a twin's votes seen and not told of */
    DS_TWINS_FALSE_EVIDENCE, /* against an honest one, or that proves nothing */
    DS_TWINS_REFUSED,
    DS_TWINS_NOT_LIVE
};

struct ds_twins_result {
    enum ds_twins_fault fault; /* the first */
    uint32_t instance;         /* at which */
    uint64_t round, height;    /* where it applies */
    int64_t fault_ns;          /* virtual time */
    /* of a good one too */
    int64_t end_ns;
    uint64_t steps, evidence;
    uint64_t final_before; /* highest final height of an honest instance when the network healed */
};

struct ds_twins;

/* How many scenarios there are.  Errors: DC_ERR_USAGE (validators, rounds, or 2^64 and more). */
enum dc_status ds_twins_count(const struct ds_twins_config *config, uint64_t *count,
                              struct dc_error *error) DC_MUST_USE;
/* Errors: as above, DC_ERR_IO. */
enum dc_status ds_twins_create(const struct ds_twins_config *config, struct ds_twins **out,
                               struct dc_error *error) DC_MUST_USE;
void ds_twins_destroy(struct ds_twins *twins);
/* Runs scenario `number` < count.  log, or NULL: what happens, a line each. */
void ds_twins_run(struct ds_twins *twins, uint64_t number, struct ds_twins_result *out,
                  struct dc_text *log);
/* Leaders and partitions of a scenario, a line for each round: "round 1: 0 leads, 0 2 | 1 3 0'". */
void ds_twins_describe(const struct ds_twins *twins, uint64_t number, struct dc_text *out);
/* "agreement: 2 makes another block final at height 3 (round 5, 1.2 s)". */
void ds_twins_verdict(const struct ds_twins *twins, const struct ds_twins_result *result,
                      struct dc_text *out);
/* The k-th of a sample drawn with replacement: a scenario's number. */
uint64_t ds_twins_sample(uint64_t seed, uint64_t count, uint64_t k);

#endif
