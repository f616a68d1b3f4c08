/* A key holder's part of a validator: what needs t of the holders and never one of them.
 *
 *   each final block --> beacon:     TX_BEACON with sigma_i of the next one, where R comes from it
 *                    --> contracts   that wait for decryption: CALL with x_i c1; who sees t of them
 *                                    brings the total
 *                    --> grants:     a FROST signature over TX_GRANT (holder_grant.c)
 *
 * The first t in an order that the contract gives bring their shares at once; each further one
 * steps in when DC_HOLDER_STEP_HEIGHTS more have passed, so that silent holders cost time and no
 * more, and nobody pays fees for shares that are not needed.
 *
 * Keys are dealt before genesis by a ceremony of all members in one process (dc_holders_make): what
 * each would compute, without the network between them.  Resharing to other members is not built.
 *  */
#ifndef MODELS_NODE_HOLDER_H
#define MODELS_NODE_HOLDER_H

#include "models/base/step.h"
#include "models/crypto/crypto.h"
#include "models/ledger/decrypt.h"

struct dc_node;
struct dc_logarithm;

struct dc_holder_secret {
    uint32_t index;                   /* in dc_holders */
    uint8_t share[32];                /* x_i on ristretto255 */
    uint8_t treasury[32];             /* signing share on edwards25519 */
    uint8_t seed[32];                 /* of nonces */
    const struct dc_logarithm *table; /* for totals; shared by all; NULL: brings none */
};

/* The ceremony: keys of `count` members that sit on these accounts; fills *out and secrets[count]
 * (table NULL).  threshold 0: two thirds and one.  Errors: DC_ERR_USAGE (count, threshold). */
enum dc_status dc_holders_make(uint64_t key_seed, const uint32_t *account, uint32_t count,
                               uint32_t threshold, struct dc_holders *out,
                               struct dc_holder_secret *secrets,
                               struct dc_error *error) DC_MUST_USE;
/* What `threshold` 0 stands for. */
static inline uint32_t dc_holders_threshold(uint32_t count)
{
    return 2 * count / 3 + 1;
}

struct dc_holder; /* holder.c's: what a holder remembers while its process lives */
struct dc_holder *dc_holder_create(const struct dc_holder_secret *secret); /* copied */
void dc_holder_free(struct dc_holder *holder);                             /* NULL allowed */

#define DC_HOLDER_STEP_HEIGHTS 4  /* until the next in order steps in */
#define DC_HOLDER_RETRY_HEIGHTS 8 /* until what is not on chain is sent again */

/* The node's final block is another now. */
void dc_holder_commit(struct dc_node *node, const struct dc_input *in, struct dc_effects *out);
/* DC_MSG_HOLDER. */
void dc_holder_message(struct dc_node *node, const struct dc_input *in, struct dc_effects *out);
/* A process began again, with this input, and knows nothing of what it did. */
void dc_holder_restart(struct dc_node *node, const struct dc_input *in);
/* Whether holder `index` sent this one a share that is wrong, or was silent when its share was
 * waited for. */
bool dc_holder_suspects(const struct dc_node *node, uint32_t index);

#endif
