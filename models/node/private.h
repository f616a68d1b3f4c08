/* A node's private side: its parts in private applications, whatever its role.
 *
 * Made when the first part comes; a crash leaves of it what client/app.h says (models/README.md 13).
 * Wallets are clients' (client/wallet.h). */
#ifndef MODELS_NODE_PRIVATE_H
#define MODELS_NODE_PRIVATE_H

#include "models/client/app.h"

struct dc_node;

/* DC_CALL_APP. */
void dc_private_call(struct dc_node *node, const struct dc_input *in, struct dc_effects *out);
void dc_private_message(struct dc_node *node, const struct dc_input *in, struct dc_effects *out);
/* The node's final block has changed. */
void dc_private_commit(struct dc_node *node, const struct dc_input *in, struct dc_effects *out);
/* The process begins again. */
void dc_private_restart(struct dc_node *node, const struct dc_input *in, struct dc_effects *out);
void dc_private_free(struct dc_node *node);
/* Of an image.  False when it is none; what was read goes with the node. */
bool dc_private_read(struct dc_node *node, struct dc_reader *r) DC_MUST_USE;

/* For the next transaction with a nonce of this node's account. */
uint64_t dc_private_nonce(struct dc_node *node);

/* Whether validators take a transaction up: its form is right, and so is the signature, where
 * somebody signs.  SHIELDED, SHIELD and CALL also have to be valid after the newest block that this
 * one has executed; who sends one again that is in a block by now is refused too, harmlessly. */
bool dc_private_tx_valid(const struct dc_node *node, const uint8_t *bytes, size_t size,
                         struct dc_effects *out);

#endif
