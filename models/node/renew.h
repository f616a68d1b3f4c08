/* A validator that lost its durable store: new keys for consensus, and the transaction that makes them
 * its own (models/README.md 4.9).
 *
 *   keys 0 (genesis) -- store lost --> keys g: RENEW, signed with the keys that the chain knows
 *                                      final --> transactions are signed with keys g
 *                                      first committee record with keys g --> signs consensus
 *
 * g is the process's incarnation, which its surroundings count and no disk of its holds, so keys
 * never come twice.  The key file itself survives (it is not the store): what the chain knows is among
 * keys 0 .. g.  The registrar's desk is modelled: whoever asks gets its certificate at once. */
#ifndef MODELS_NODE_RENEW_H
#define MODELS_NODE_RENEW_H

#include "models/base/step.h"
#include "models/crypto/crypto.h"

struct dc_node;

struct dc_renewal {
    uint64_t key_seed;
    uint32_t generation; /* g, at least 1 */
    struct dc_keypair sign, vrf, registrar;
    uint64_t asked_height; /* final height when RENEW was sent last; volatile */
};

/* The keys of a generation: dc_node_keys is generation 0. */
void dc_renewal_keys(uint64_t key_seed, uint32_t id, uint32_t generation, struct dc_keypair *sign,
                     struct dc_keypair *vrf);
/* Takes the keys that the chain knows at the node's final block for transactions. */
void dc_renewal_keys_on_chain(struct dc_node *node);
/* After commits, for a node with a renewal: takes the keys that the chain knows for transactions, and
 * asks for the new ones while it knows others. */
void dc_renewal_commit(struct dc_node *node, struct dc_effects *out);

#endif
