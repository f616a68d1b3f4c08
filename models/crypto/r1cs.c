/* The proof system, as in dalek's r1cs notes:
 *
 *   all constraints together, weighted with powers of z, are
 *       <w_L, a_L> + <w_R, a_R> + <w_O, a_O> = <w_V, v> + w_c
 *   and with y^i for gate i, l and r are polynomials whose product has that as its coefficient 2
 *       l(x) = (a_L + y^-i w_R) x + a_O x^2 + s_L x^3
 *       r(x) = w_O - y^i + (y^i a_R + w_L) x + y^i s_R x^3
 *       t(x) = <l(x), r(x)> = t1 x + (<w_V, v> + w_c + <y^-i w_R, w_L>) x^2 + t3 x^3 + .. + t6 x^6
 *
 * The prover commits to the wires (A_I, A_O, S) before y and z, to t's other coefficients before x,
 * and shows l(x), r(x) by the inner-product argument.  Gates of the second phase stand behind those
 * of the first and are folded in with u: their generators are weighted with it. */
#include "models/crypto/r1cs_impl.h"

uint32_t dc_r1cs_log2(uint32_t padded)
{
    uint32_t k = 0;
    while (1u << k < padded)
        k++;
    return k;
}

size_t dc_r1cs_proof_bytes(uint32_t gates, bool second)
{
    uint32_t rounds = dc_r1cs_log2(dc_circuit_padded(gates));
    return 32 * ((size_t)DC_R1CS_POINTS_PHASE * (second ? 2 : 1) + DC_R1CS_POINTS_SUMS + 3 +
                 2 * rounds + 2);
}

const char *const dc_r1cs_label_phase[2][DC_R1CS_POINTS_PHASE] = {{"A_I1", "A_O1", "S1"},
                                                                  {"A_I2", "A_O2", "S2"}};
const char *const dc_r1cs_label_sums[DC_R1CS_POINTS_SUMS] = {"T_1", "T_3", "T_4", "T_5", "T_6"};

/* --- both sides ----------------------------------------------------------------------------- */

struct dc_scalar *dc_r1cs_scalars(struct dc_circuit *c, uint32_t count)
{
    struct dc_scalar *s = dc_arena_alloc(&c->arena, ((size_t)count + 1) * sizeof *s);
    DC_CHECK(s != NULL);
    for (uint32_t i = 0; i < count; i++)
        s[i] = dc_scalar_zero();
    return s;
}

void dc_r1cs_accumulate(struct dc_scalar *sum, const struct dc_scalar *a, const struct dc_scalar *b)
{
    struct dc_scalar product = dc_scalar_mul(a, b);
    *sum = dc_scalar_add(sum, &product);
}

void dc_r1cs_flatten(struct dc_circuit *c, const struct dc_scalar *z, struct dc_r1cs_weights *w)
{
    w->left = dc_r1cs_scalars(c, c->gates);
    w->right = dc_r1cs_scalars(c, c->gates);
    w->out = dc_r1cs_scalars(c, c->gates);
    w->committed = dc_r1cs_scalars(c, c->commitments);
    w->constant = dc_scalar_zero();
    struct dc_scalar power = *z;
    for (uint32_t i = 0; i < c->constraints; i++) {
        const struct dc_sum *s = &c->constraint[i];
        struct dc_scalar minus = dc_scalar_neg(&power);
        for (uint32_t k = 0; k < s->count; k++) {
            uint32_t at = s->term[k].variable >> 3;
            const struct dc_scalar *coefficient = &s->term[k].coefficient;
            switch (s->term[k].variable & 7) {
            case DC_WIRE_LEFT: dc_r1cs_accumulate(&w->left[at], &power, coefficient); break;
            case DC_WIRE_RIGHT: dc_r1cs_accumulate(&w->right[at], &power, coefficient); break;
            case DC_WIRE_OUT: dc_r1cs_accumulate(&w->out[at], &power, coefficient); break;
            case DC_WIRE_COMMITTED:
                dc_r1cs_accumulate(&w->committed[at], &minus, coefficient);
                break;
            default: dc_r1cs_accumulate(&w->constant, &minus, coefficient); break;
            }
        }
        power = dc_scalar_mul(&power, z);
    }
}

void dc_r1cs_powers(const struct dc_scalar *x, struct dc_scalar *out, uint32_t count)
{
    struct dc_scalar power = dc_scalar_one();
    for (uint32_t i = 0; i < count; i++) {
        out[i] = power;
        power = dc_scalar_mul(&power, x);
    }
}

void dc_r1cs_begin(struct dc_circuit *c)
{
    DC_CHECK(!c->second);
    c->gates_first = c->gates;
    dc_transcript_append_u64(c->transcript, "m", c->commitments);
    dc_transcript_append_u64(c->transcript, "n1", c->gates);
}

/* Builds what was deferred. */
void dc_r1cs_second_phase(struct dc_circuit *c)
{
    dc_transcript_append(c->transcript, "dom-sep", c->deferred_count != 0 ? "2phase" : "1phase", 6);
    c->second = true;
    for (uint32_t i = 0; i < c->deferred_count; i++)
        c->deferred[i].build(c, c->deferred[i].context);
    dc_transcript_append_u64(c->transcript, "n2", c->gates - c->gates_first);
}
