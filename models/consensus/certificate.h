/* Certificates under a committee: collecting votes into a QC and timeouts into a TC, and checking
 * QC, TC and hand-over.
 *
 * A check is a pure function of the certificate's bytes and its epoch's committee.  Its answer is
 * remembered in the object (`verified`) when the crypto's table is on; the charge is the same. */
#ifndef MODELS_CONSENSUS_CERTIFICATE_H
#define MODELS_CONSENSUS_CERTIFICATE_H

#include "models/consensus/env.h"

/* True when enough power of c signed.  Charges VERIFY per signature.  Requires qc->epoch ==
 * c->epoch (else false). */
bool dc_qc_verify(const struct dc_consensus_env *env, struct dc_qc *qc,
                  const struct dc_committee *c, struct dc_effects *out);
bool dc_tc_verify(const struct dc_consensus_env *env, struct dc_tc *tc,
                  const struct dc_committee *c, struct dc_effects *out);
/* Also: L is the last block of its epoch. */
bool dc_handover_verify(const struct dc_consensus_env *env, struct dc_handover *handover,
                        const struct dc_committee *c, struct dc_effects *out);

/* Power of the members in a bitmap of c->count bits. */
uint64_t dc_bitmap_power(const struct dc_committee *c, const uint8_t *bitmap);

/* --- votes ---------------------------------------------------------------------------------- */

/* The votes seen for one (round, block, commits): a bitmap of members and 64 bytes each. */
struct dc_vote_set {
    struct dc_vote_set *next;
    uint64_t round;
    struct dc_hash block, commits;
    struct dc_hash digest; /* what they sign */
    uint64_t power;
    uint32_t count, count_max;
    uint16_t *member;   /* index in the committee, in order of arrival */
    uint8_t *signature; /* count x 64 */
    uint8_t *bitmap;    /* of members */
};
/* Finds or makes the set of a vote in *list.  At most DC_VOTE_SETS of them: the one with the least
 * power goes. */
#define DC_VOTE_SETS 4
struct dc_vote_set *dc_vote_set_get(struct dc_vote_set **list, const struct dc_consensus_env *env,
                                    const struct dc_committee *c, const struct dc_vote *vote);
/* Adds a verified vote; false when that member's is there. */
bool dc_vote_set_add(struct dc_vote_set *set, const struct dc_committee *c, uint32_t member,
                     const uint8_t signature[64]);
/* The signature of a member in the set, or NULL. */
const uint8_t *dc_vote_set_find(const struct dc_vote_set *set, uint32_t member);
/* A QC of exactly the votes held.  Requires set->power >= c->quorum. */
struct dc_qc *dc_vote_set_qc(const struct dc_vote_set *set, const struct dc_consensus_env *env,
                             const struct dc_committee *c);
/* Frees the sets below `round`. */
void dc_vote_sets_drop(struct dc_vote_set **list, uint64_t round);

/* --- timeouts ------------------------------------------------------------------------------- */

/* Each signer's newest verified timeout of this epoch. */
struct dc_timeout_entry {
    uint64_t round, qc_round;
    uint32_t member;
    uint8_t signature[64];
};
struct dc_timeout_set {
    uint32_t count, count_max;
    struct dc_timeout_entry *entry;
    uint16_t *slot;                 /* member -> entry index + 1, 0: none */
    uint64_t current, limit;        /* round and highest QC round here, when the sums were taken */
    uint64_t power_at, power_above; /* of rounds == and > current, with qc_round <= limit */
};
/* Adds or replaces by the newer (higher round, then higher QC round); false when nothing changed.
 * round and qc_round as for dc_timeouts_enter; used when the set is made. */
bool dc_timeouts_add(struct dc_timeout_set **set, const struct dc_committee *c,
                     const struct dc_timeout_entry *entry, uint64_t round, uint64_t qc_round);
/* Takes the sums anew for this round and highest QC round; drops what is below `round`, and the set
 * when it is empty. */
void dc_timeouts_enter(struct dc_timeout_set **set, const struct dc_committee *c, uint64_t round,
                       uint64_t qc_round);
/* The highest round R such that counted timeouts of rounds >= R hold at least `power`; 0: none. */
uint64_t dc_timeouts_join(const struct dc_timeout_set *set, const struct dc_committee *c,
                          uint64_t power, uint64_t qc_round);
/* A TC of the counted timeouts of exactly `round`.  Requires a quorum of them. */
struct dc_tc *dc_timeouts_tc(const struct dc_timeout_set *set, const struct dc_consensus_env *env,
                             const struct dc_committee *c, uint64_t round, uint64_t qc_round);
void dc_timeouts_free(struct dc_timeout_set **set);

#endif
