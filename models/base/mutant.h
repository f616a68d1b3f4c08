/* Mutants: bugs that can be compiled in, so that tests know that they would find such bugs.
 *
 *     ordinary build            DC_MUTANT(params, NAME) is the constant 0: not one instruction more
 *     built with DC_MUTANTS=1   (params)->mutant == DC_MUTANT_NAME, set by `protocol.mutant`
 *
 * A mutant is one condition where the rule that it breaks is enforced; with `none` a build with
 * mutants does what the ordinary one does.  Each is a bug that a run can reach.  The table of
 * names is beside the enumeration so that neither grows alone; sim/README.md says how each
 * shows. */
#ifndef MODELS_BASE_MUTANT_H
#define MODELS_BASE_MUTANT_H

/* X(NAME, name, what it does) */
#define DC_MUTANT_TABLE(X)                                                                         \
    X(NONE, "none", "the protocol as it is")                                                       \
    X(QUORUM_SMALL, "quorum_small", "a quorum is one mean member too small")                       \
    X(NO_LOCK, "no_lock", "timeouts' QC rounds bind neither leaders nor voters")                   \
    X(FORGET_VOTE, "forget_vote", "the last vote is forgotten over a restart")                     \
    X(FORGET_PROPOSAL, "forget_proposal", "the own proposal is forgotten over a restart")          \
    X(TC_UNCHECKED, "tc_unchecked", "a TC is accepted without checking its highest QC round")      \
    X(QC_SIGNATURES, "qc_signatures", "signatures of certificates are not checked")                \
    X(SEAT_TWICE, "seat_twice", "a vote that comes again is counted again")                        \
    X(COMMIT_GAP, "commit_gap", "two certified blocks commit, whatever rounds lie between")        \
    X(TIMEOUT_VOTES, "timeout_votes", "a round that was timed out may still be voted in")          \
    X(STALE_QC, "stale_qc", "a lower QC replaces the highest one")                                 \
    X(NO_EVIDENCE, "no_evidence", "double votes and proposals are seen and not told of")           \
    X(WRONG_COMMITTEE, "wrong_committee",                                                          \
      "who comes to an epoch by catching up takes the wrong committee")                            \
    X(REWARD_TWICE, "reward_twice", "validators get their rewards twice")                          \
    X(SLASH_TWICE, "slash_twice", "one offence can be slashed again")                              \
    X(VERDICT_PRESENT, "verdict_present", "a verdict needs a majority of those who spoke alone")   \
    X(STALE_PROOF, "stale_proof", "a heartbeat's proof of an old state counts like a new one's")   \
    X(NONDETERMINISM, "nondeterminism", "a delay depends on the process: for testing `verify`")

#define DC_MUTANT_ENUM(NAME, name, what) DC_MUTANT_##NAME,
enum dc_mutant { DC_MUTANT_TABLE(DC_MUTANT_ENUM) DC_MUTANT_COUNT };
#undef DC_MUTANT_ENUM

#ifdef DC_MUTANTS
#define DC_MUTANT(params, NAME) ((params)->mutant == DC_MUTANT_##NAME)
#define DC_MUTANT_EITHER(params, A, B) (DC_MUTANT(params, A) || DC_MUTANT(params, B))
#else
#define DC_MUTANT(params, NAME) 0
#define DC_MUTANT_EITHER(params, A, B) 0
#endif

#endif
