/* What a scenario says of privacy: private payments of client groups, private applications. */
#ifndef SIM_SCENARIO_PRIVATE_H
#define SIM_SCENARIO_PRIVATE_H

/* Included by scenario.h, which has distributions and selectors. */
struct ds_payments {
    bool given;
    struct ds_dist_spec arrivals; /* POISSON, args[0] payments a second and client; or NONE */
    struct ds_dist_spec amount;   /* base units, of each */
    uint64_t shield;              /* base units that a client makes private at the start, ... */
    uint32_t notes;               /* ... in so many notes */
    int64_t from_ns;              /* the first payment comes after this */
};

/* In the order of enum dc_app_kind (models/client/app.h). */
enum ds_application_kind {
    DS_APPLICATION_AUCTION,
    DS_APPLICATION_ESCROW,
    DS_APPLICATION_RATING,
    DS_APPLICATION_USAGE,
    DS_APPLICATION_INFERENCE,
    DS_APPLICATION_TRAINING,
    DS_APPLICATION_KINDS
};

/* Participants, at most: of models/client's applications and models/privacy's contracts. */
enum { DS_BIDDERS_MAX = 32, DS_LEAVES_MAX = 64, DS_REPORTERS_MAX = 250, DS_TRAINERS_MAX = 63 };
struct ds_participants {
    uint32_t least, most;
};
extern const struct ds_participants ds_application_participants[DS_APPLICATION_KINDS];

/* One private application: its owner and its participants are called at `at`, and act from then on
 * by themselves.  Its random choices are keyed by (seed, name). */
struct ds_application {
    const char *name;
    uint32_t kind; /* enum ds_application_kind */
    int64_t at_ns;
    const struct ds_selector *owner; /* one node */
    const struct ds_selector *participants;
    const struct ds_selector *node;     /* one: payee, rated node, who computes; NULL: none */
    uint32_t close, end;                /* heights after the contract was made */
    struct ds_dist_spec amount;         /* AUCTION: bids; ESCROW: what it holds; base units */
    struct ds_dist_spec value;          /* RATING, USAGE: of each participant */
    uint64_t bound, payment;            /* USAGE: a total above the bound pays so much */
    uint32_t threshold;                 /* ESCROW: approvals that release it */
    uint32_t rounds, features, samples; /* TRAINING, INFERENCE */
    uint32_t model;                     /* TRAINING: in the order of enum dc_training_model */
};

#endif
