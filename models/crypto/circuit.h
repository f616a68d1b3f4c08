/* Arithmetic circuits: rank-1 constraints over the scalars, built the same way by who proves and by
 * who verifies.
 *
 *     variables     committed: a Pedersen commitment's value, known outside the circuit
 *                   left, right, out of multiplication gate i: left * right = out
 *                   one
 *     combination   sum of coefficient * variable, terms in ascending order of the variable
 *     constraint    a combination that is zero
 *
 * The prover's circuit carries an assignment: each combination has its value beside its terms, so
 * that code that builds a circuit computes the witness on the way.  The verifier's has no values:
 * all are zero, and nothing may depend on them.
 *
 * Second phase: what is deferred (dc_circuit_defer) is built after the first phase's wires are
 * committed to, and may ask for challenges.
 *
 * Everything lives in the circuit's arena until dc_circuit_free. */
#ifndef MODELS_CRYPTO_CIRCUIT_H
#define MODELS_CRYPTO_CIRCUIT_H

#include "models/base/mem.h"
#include "models/crypto/transcript.h"

#define DC_CIRCUIT_DEFERRED_MAX 4

enum dc_wire { DC_WIRE_ONE, DC_WIRE_COMMITTED, DC_WIRE_LEFT, DC_WIRE_RIGHT, DC_WIRE_OUT };
struct dc_term {
    uint32_t variable; /* index * 8 + enum dc_wire */
    struct dc_scalar coefficient;
};
/* A value: a variable or any sum of them.  Small enough to be passed around. */
struct dc_sum {
    const struct dc_term *term;
    uint32_t count;
    struct dc_scalar value; /* the prover's */
};

struct dc_circuit;
typedef void dc_circuit_deferred(struct dc_circuit *c, void *context);

struct dc_circuit {
    bool proving;
    struct dc_transcript *transcript; /* the caller's; holds the statement already */
    struct dc_arena arena;
    uint32_t commitments, gates, gates_first, constraints; /* gates_first: of the first phase */
    uint32_t commitments_max, gates_max, constraints_max;
    uint8_t (*commitment)[32];            /* as they were appended */
    struct dc_scalar *value, *blinding;   /* the prover's, of the commitments */
    struct dc_scalar *left, *right, *out; /* the prover's, of the gates */
    struct dc_sum *constraint;
    struct {
        dc_circuit_deferred *build;
        void *context;
    } deferred[DC_CIRCUIT_DEFERRED_MAX];
    uint32_t deferred_count;
    bool second; /* phase */
};

/* The transcript, with all of the statement that the circuit does not say itself, is the caller's
 * and lives as long.  Committed variables first, then gates. */
void dc_circuit_init(struct dc_circuit *c, struct dc_transcript *transcript, bool proving);
void dc_circuit_free(struct dc_circuit *c);

/* A committed variable.  The prover gives value and blinding and gets the commitment; the verifier
 * gives the commitment, which need not be a point yet. */
struct dc_sum dc_circuit_commit(struct dc_circuit *c, const struct dc_scalar *value,
                                const struct dc_scalar *blinding, uint8_t commitment[32]);
struct dc_sum dc_circuit_committed(struct dc_circuit *c, const uint8_t commitment[32]);

struct dc_sum dc_sum_constant(struct dc_circuit *c, const struct dc_scalar *value);
struct dc_sum dc_sum_u64(struct dc_circuit *c, uint64_t value);
struct dc_sum dc_sum_add(struct dc_circuit *c, const struct dc_sum *a, const struct dc_sum *b);
struct dc_sum dc_sum_sub(struct dc_circuit *c, const struct dc_sum *a, const struct dc_sum *b);
struct dc_sum dc_sum_scale(struct dc_circuit *c, const struct dc_sum *a, const struct dc_scalar *k);
/* a + k b */
struct dc_sum dc_sum_add_scaled(struct dc_circuit *c, const struct dc_sum *a,
                                const struct dc_sum *b, const struct dc_scalar *k);
/* A constant has no gate: true, *value what it is. */
bool dc_sum_is_constant(const struct dc_sum *a, struct dc_scalar *value);

/* One gate: returns the product.  *left, *right (may be NULL) are its wires, single variables that
 * equal a and b. */
struct dc_sum dc_circuit_multiply(struct dc_circuit *c, const struct dc_sum *a,
                                  const struct dc_sum *b, struct dc_sum *left,
                                  struct dc_sum *right);
/* One gate whose inputs are bound by nothing but it: left, right the prover's values (the
 * verifier's are not read). */
void dc_circuit_allocate(struct dc_circuit *c, const struct dc_scalar *left,
                         const struct dc_scalar *right, struct dc_sum wire[3]);
/* a = 0; a = b. */
void dc_circuit_constrain(struct dc_circuit *c, const struct dc_sum *a);
void dc_circuit_equal(struct dc_circuit *c, const struct dc_sum *a, const struct dc_sum *b);

/* Builds more once the wires so far are committed to.  context must live until then. */
void dc_circuit_defer(struct dc_circuit *c, dc_circuit_deferred *build, void *context);
/* Only in what was deferred. */
struct dc_scalar dc_circuit_challenge(struct dc_circuit *c, const char *label);

/* Proving: whether every gate and constraint so far holds.  Builders need not ask: what does not
 * hold gives a proof that nobody accepts. */
bool dc_circuit_holds(const struct dc_circuit *c);
/* Gates padded to a power of two: what proofs cost (DC_COST_GATE_*). */
uint32_t dc_circuit_padded(uint32_t gates);

#endif
