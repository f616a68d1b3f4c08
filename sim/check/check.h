/* Invariants, checked while a run goes on.
 *
 *   sim/world/observe_check.c           struct ds_checks
 *     a commit, a vote, a final block     +- agreement     state
 *     as plain data   ------------------> +- prefix        state    at a violation
 *                                         +- ...           state ----------------> ds_check_report
 *                                         +- liveness      state
 *
 * A checker is a struct of functions and a state that the caller owns (`struct ds_check_class`).
 * It is fed plain data, in an order that does not depend on threads, and knows nothing of nodes,
 * kernels or stores: so a test feeds it whatever history it likes.  What a checker is not
 * interested in is NULL.  A violation is a text with the virtual time, the nodes and the evidence;
 * the first of each invariant is kept, all are counted, and the run goes on.
 *
 * Who is *excused*: a node that deviates on purpose, or whose disk did, so that its own signatures
 * bind it no more.  What it signs is no violation; what others make final because of it is. */
#ifndef SIM_CHECK_CHECK_H
#define SIM_CHECK_CHECK_H

#include "models/base/status.h"
#include "models/crypto/hash.h"

/* In the order in which they are told of when several break at once; index into ds_checks. */
enum ds_check {
    DS_CHECK_AGREEMENT,
    DS_CHECK_PREFIX,
    DS_CHECK_CERTIFICATES,
    DS_CHECK_VOTES,
    DS_CHECK_EXECUTION,
    DS_CHECK_MONEY,
    DS_CHECK_SLASHING,
    DS_CHECK_ACCOUNTABLE,
    DS_CHECK_CHALLENGES,
    DS_CHECK_MESSAGES,
    DS_CHECK_BOUNDS,
    DS_CHECK_LIVENESS,
    DS_CHECKS
};

#define DS_CHECK_TEXT_BYTES 512

/* What was violated so far.  Zero-initialise, with first = DS_CHECKS. */
struct ds_check_report {
    uint64_t count[DS_CHECKS]; /* violations of each */
    int64_t time_ns[DS_CHECKS];
    char text[DS_CHECKS][DS_CHECK_TEXT_BYTES]; /* of the first of each: "at 3.5 s: votes: ..." */
    enum ds_check first;                       /* that was found; DS_CHECKS: none */
    /* of the first fork: power of those whom their own signatures convict, and of all */
    uint64_t guilty_power, guilty_of;
    uint32_t guilty;       /* how many; guilty_of 0: there was no fork */
    uint64_t equivocators; /* accounts that were slashed for equivocation */
    int64_t lively_ns;     /* when all of the healed quorum had gone on; 0: not yet, or not asked */
};
/* Counts one violation and keeps its text when it is the first of its kind. */
void ds_check_tell(struct ds_check_report *report, enum ds_check which, int64_t time_ns,
                   const char *format, ...) DC_PRINTF(4, 5);
/* Appends to the text of the first violation of a kind. */
void ds_check_add(struct ds_check_report *report, enum ds_check which, const char *format, ...)
    DC_PRINTF(3, 4);

struct ds_check_signed;

/* What a checker may ask about the run. */
struct ds_check_config {
    uint32_t nodes, voters; /* voters: of the nodes, those that may vote */
    uint32_t epoch_blocks;
    /* Whether what the node signs binds it: see above.  NULL: nobody is excused. */
    bool (*excused)(const void *ctx, uint32_t node);
    /* Whether the signature of what was seen holds.  NULL: taken for good. */
    bool (*holds)(const void *ctx, const struct ds_check_signed *message);
    /* After a fork: hands `take` the votes of every certificate that a node holds, also such as
     * their signer counted itself and never sent.  NULL: there are none. */
    void (*certified)(const void *ctx, void (*take)(void *to, const struct ds_check_signed *vote),
                      void *to);
    const void *ctx;
    /* heal: {at, quorum, within} of the scenario; within 0: none */
    int64_t heal_at_ns, heal_within_ns;
};

/* --- what is seen ---------------------------------------------------------------------------- */

/* A block became final at a node. */
struct ds_check_commit {
    int64_t time_ns, proposed_ns;
    uint64_t height;
    struct dc_hash id, parent; /* parent: of the ledger, seals left out */
    uint32_t node;
    uint32_t incarnation; /* of the node: grows with every restart */
};

/* Two final chains: at this height, as this node has it or as a certificate tells it. */
struct ds_check_fork {
    int64_t time_ns;
    uint64_t height;
    uint32_t node;
};

/* What a vote is for, as far as it is known. */
struct ds_check_proposal {
    uint64_t epoch, round;
    uint64_t qc_round; /* of the QC in it; 0: none, it begins an epoch (or the chain) */
    bool tc;           /* it carries a TC, of ... */
    uint64_t tc_round, tc_qc_round_max;
    struct dc_hash commits; /* what a vote for it must name (models/README.md 4.2) */
};

/* A vote, a timeout or a proposal as it left a node.  Of a timeout with its sender's vote of that
 * round the vote goes first. */
enum ds_check_signed_kind { DS_CHECK_VOTE, DS_CHECK_TIMEOUT, DS_CHECK_PROPOSED };
struct ds_check_signed {
    int64_t time_ns;
    uint64_t epoch, round;
    uint64_t qc_round;        /* TIMEOUT: that it signs; VOTE: of the proposal's QC, if known */
    struct dc_hash block;     /* VOTE, PROPOSED */
    struct dc_hash commits;   /* VOTE */
    uint32_t signer, node;    /* node: that sent it */
    uint8_t kind;             /* enum ds_check_signed_kind */
    const uint8_t *signature; /* 64 bytes; of VOTE, TIMEOUT; NULL: it stands in a certificate */
    const struct ds_check_proposal *proposal; /* VOTE: NULL when the block is not known */
};

/* Members of a committee, ascending by account. */
struct ds_check_committee {
    uint64_t epoch;
    uint32_t count;
    const uint32_t *account;
    const uint64_t *power;
};

enum ds_check_certificate_kind { DS_CHECK_QC, DS_CHECK_TC, DS_CHECK_HANDOVER };
struct ds_check_certificate {
    int64_t time_ns;
    uint32_t node;   /* where the block that carries it became final first */
    uint64_t height; /* of that block */
    uint8_t kind;    /* enum ds_check_certificate_kind */
    uint64_t epoch, round;
    uint32_t members, signatures; /* as it says */
    const uint8_t *bitmap;        /* (members + 7) / 8 bytes, lowest bit first */
    uint32_t bad;          /* index of a member whose signature fails; UINT32_MAX: none seen */
    uint64_t qc_round_max; /* TC: of what it says was signed ... */
    uint64_t qc_round;     /* ... and of the QC beside it */
    uint64_t block_epoch, block_round;          /* of the block that carries it */
    const struct ds_check_committee *committee; /* of its epoch, by the final chain */
    bool commits_given;                         /* QC: it makes a block final, which ... */
    bool commits_consecutive; /* ... was certified in the round before, and is the parent of the
                                 block that is voted for */
};

struct ds_check_offence {
    uint32_t account;
    uint8_t kind; /* enum dc_evidence_kind */
    uint64_t epoch, round;
};
struct ds_check_slash {
    uint32_t account;
    uint8_t reason;    /* enum dc_slash_reason */
    bool equivocation; /* that is the reason */
    bool ejected;      /* the account's part in the protocol ends */
    bool honest;       /* it has never deviated */
    uint64_t amount;
};
/* A challenge that a block draws or settles. */
struct ds_check_challenge {
    uint32_t node;
    uint8_t asking;                   /* 1 or 2 */
    uint64_t epoch;                   /* in whose T(e) the node was */
    uint64_t height;                  /* at which it was drawn */
    uint8_t verifiers;                /* drawn for it */
    uint8_t pass, fail, late, silent; /* verdicts there */
    uint8_t outcome;                  /* settled: enum dc_verdict_kind as below */
};
/* As enum dc_verdict_kind. */
enum ds_check_verdict {
    DS_CHECK_NONE,
    DS_CHECK_PASS,
    DS_CHECK_FAIL,
    DS_CHECK_LATE,
    DS_CHECK_SILENT,
    DS_CHECK_UNDECIDED
};

/* A block of the ledger when it first becomes final anywhere: once for each height, ascending. */
struct ds_check_block {
    int64_t time_ns;
    uint32_t node;
    uint64_t height, epoch, round;
    struct dc_hash id, parent;
    uint32_t proposer;
    bool proposer_honest; /* not excused */
    bool first_of_epoch;  /* and epoch > 0: it settles the epoch before */
    /* execution */
    struct dc_hash root_said, root_here; /* in the header; of the state that execution left */
    bool again;                          /* it was executed once more, without memory, ... */
    bool again_valid;                    /* ... with this answer ... */
    struct dc_hash root_again;           /* ... and this state */
    uint32_t
        credits_wrong; /* heartbeats that count as more or less late than they are; the first: */
    struct {
        uint32_t node;
        uint64_t lag;             /* heights behind */
        uint64_t worth, credited; /* Q1.31: 2^(-lag/h), and what its account got */
    } credit;
    /* money */
    bool conserved;
    uint64_t minted, burned, fund, escrow; /* of the state after it */
    bool rewards;                          /* first_of_epoch: the next four are there */
    uint64_t reward_given;                 /* sum over accounts */
    uint64_t reward_said;                  /* validators + services, as the outcome says */
    uint64_t issued, fees, reward_burned;
    struct { /* of shielded money, as the transactions tell it */
        bool known;                           /* the state before the block is here */
        uint64_t before, after, in, out;      /* money; in and out by the transactions */
        uint64_t images_before, images_after; /* key images in the states */
        uint64_t spent;                       /* that the transactions bring ... */
        uint32_t again;                       /* ... so many of them for the second time */
    } pool;
    /* lists */
    const struct ds_check_offence *offence; /* shown by its EVIDENCE transactions */
    const struct ds_check_slash *slash;
    const struct ds_check_challenge *drawn, *settled;
    uint32_t offences, slashes, drawns, settleds;
};

/* Honest members of the committee hold two blocks of one proposer and round. */
struct ds_check_caught {
    int64_t time_ns;
    uint32_t account;
    uint64_t epoch, round;
    uint32_t holders, honest; /* how many do, of how many honest members that are up */
};

/* A vote of somebody who votes twice, at an honest collector that could still count it. */
struct ds_check_heard {
    int64_t time_ns;
    uint64_t epoch, round;
    struct dc_hash block;
    uint32_t signer, collector;
};

/* Which committee a node goes by that is in an epoch. */
struct ds_check_follow {
    int64_t time_ns;
    uint32_t node;
    uint64_t epoch, committee_epoch;
};

/* One kind of message over the whole run. */
struct ds_check_traffic {
    int64_t time_ns;
    const char *kind;
    uint64_t sent, duplicated, replayed;             /* what came into being */
    uint64_t delivered, lost, cut, queue_full, down; /* what became of it */
    uint64_t in_flight; /* counted one by one in what was pending at the end */
};

/* How full a queue is at a node; node UINT32_MAX: of the simulator. */
struct ds_check_level {
    int64_t time_ns;
    uint32_t node;
    const char *queue;
    uint64_t level, limit;
};

/* Who must make progress after `heal`, at a time: quorum[n] and up[n]. */
struct ds_check_moment {
    int64_t time_ns;
    const bool *quorum; /* NULL: not healed yet */
    const uint8_t *up;
};

/* --- one checker ----------------------------------------------------------------------------- */

struct ds_check_class {
    const char *name; /* as in `violations.NAME` and in reports */
    const char *line; /* what must hold, in one line */
    size_t state_bytes;
    /* State is zeroed.  Memory out is fatal (dc_mem_need), here and below. */
    void (*init)(void *state, const struct ds_check_config *config, struct ds_check_report *report);
    void (*free)(void *state);
    void (*commit)(void *state, const struct ds_check_commit *c);
    void (*fork)(void *state, const struct ds_check_fork *f); /* after agreement has told of it */
    void (*signed_)(void *state, const struct ds_check_signed *s);
    void (*committee)(void *state, const struct ds_check_committee *as_drawn,
                      const struct ds_check_committee *as_used, int64_t time_ns);
    void (*certificate)(void *state, const struct ds_check_certificate *c);
    void (*block)(void *state, const struct ds_check_block *b);
    void (*follow)(void *state, const struct ds_check_follow *f);
    void (*caught)(void *state, const struct ds_check_caught *c);
    void (*heard)(void *state, const struct ds_check_heard *h);
    void (*traffic)(void *state, const struct ds_check_traffic *t);
    void (*level)(void *state, const struct ds_check_level *l);
    void (*moment)(void *state, const struct ds_check_moment *m);
    void (*end)(void *state, int64_t time_ns);
};

/* The state of a checker that remembers nothing, and its init. */
struct ds_check_plain {
    struct ds_check_report *report;
};
void ds_check_plain_init(void *state, const struct ds_check_config *config,
                         struct ds_check_report *report);

extern const struct ds_check_class ds_check_agreement, ds_check_prefix, ds_check_certificates,
    ds_check_votes, ds_check_execution, ds_check_money, ds_check_slashing, ds_check_accountable,
    ds_check_challenges, ds_check_messages, ds_check_bounds, ds_check_liveness;
extern const struct ds_check_class *const ds_check_classes[DS_CHECKS]; /* by enum ds_check */

/* --- all of them ----------------------------------------------------------------------------- */

struct ds_checks;
/* Memory out is fatal. */
struct ds_checks *ds_checks_create(const struct ds_check_config *config);
void ds_checks_free(struct ds_checks *checks); /* NULL is fine */
const struct ds_check_report *ds_checks_report(const struct ds_checks *checks);
uint64_t ds_checks_violations(const struct ds_checks *checks); /* of all invariants */

/* Each hands what was seen to every checker that wants it.  Signed messages of a time go before
 * commits of that time; blocks go after the commits that made them final. */
void ds_checks_commit(struct ds_checks *checks, const struct ds_check_commit *c);
/* A node met a certificate that contradicts its own final chain. */
void ds_checks_conflict(struct ds_checks *checks, const struct ds_check_fork *f);
void ds_checks_signed(struct ds_checks *checks, const struct ds_check_signed *s);
void ds_checks_committee(struct ds_checks *checks, const struct ds_check_committee *as_drawn,
                         const struct ds_check_committee *as_used, int64_t time_ns);
void ds_checks_certificate(struct ds_checks *checks, const struct ds_check_certificate *c);
void ds_checks_block(struct ds_checks *checks, const struct ds_check_block *b);
void ds_checks_follow(struct ds_checks *checks, const struct ds_check_follow *f);
void ds_checks_caught(struct ds_checks *checks, const struct ds_check_caught *c);
void ds_checks_heard(struct ds_checks *checks, const struct ds_check_heard *h);
void ds_checks_traffic(struct ds_checks *checks, const struct ds_check_traffic *t);
void ds_checks_level(struct ds_checks *checks, const struct ds_check_level *l);
void ds_checks_moment(struct ds_checks *checks, const struct ds_check_moment *m);
void ds_checks_end(struct ds_checks *checks, int64_t time_ns);

/* Whether the rules let anybody vote for it: its QC is of the round before, or a TC of the round
 * before names none that is higher (models/README.md 4.1, 4.2). */
bool ds_check_safe(const struct ds_check_proposal *p);

/* --- the committee, drawn once more ---------------------------------------------------------- */

/* Power of each candidate by models/README.md 4.12, computed here from scratch: weight[i] of
 * candidate i, by account; power[i] out, 0: no member.  seats 0: power = weight. */
void ds_check_draw(const uint64_t *weight, uint32_t count, uint32_t seats, uint64_t epoch,
                   const struct dc_hash *beacon, uint64_t *power);

#endif
