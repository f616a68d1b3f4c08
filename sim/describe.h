/* Events in the protocol's terms, one line each: what verify, diff and trace say of them.
 *
 *     vote epoch 3 round 17 for block ab12cd34 commits 9f00aa11
 *     proposal height 77 epoch 2 round 18 by val[3], block 55aa01ff, 12 transactions
 *
 * Bytes are decoded with models/wire, from scratch, so that what is told is what a receiver may
 * read; bytes that do not decode are told as that.  Hashes are shortened to 8 hex digits. */
#ifndef SIM_DESCRIBE_H
#define SIM_DESCRIBE_H

#include "sim/world/world.h"

/* "val[3]"; "node 99" when there is none. */
void ds_describe_node(const struct ds_scenario *s, uint32_t node, struct dc_text *out);
/* "height 77 epoch 2 round 18 by val[3], block 55aa01ff on 9f00aa11, 12 transactions" */
void ds_describe_block(const struct ds_scenario *s, const struct dc_block *b, struct dc_text *out);
/* One message from its bytes. */
void ds_describe_message(const struct ds_scenario *s, const uint8_t *bytes, size_t size,
                         struct dc_text *out);
/* A transaction from its bytes; false: they are none, and nothing is told. */
bool ds_describe_tx(const struct ds_scenario *s, const uint8_t *bytes, size_t size,
                    struct dc_text *out);
/* A timer by the value that it was set with: "timer round". */
void ds_describe_timer(uint64_t value, struct dc_text *out);
/* What is told of an event that is no message: index into ds_event_names, and its payload. */
void ds_describe_event(uint32_t event, uint64_t a, struct dc_text *out);
/* What a message on its way carries: itself, or word of it. */
void ds_describe_packet(const struct ds_scenario *s, const struct ds_watched *e,
                        struct dc_text *out);
/* All that a watcher sees, without time and node. */
void ds_describe_watched(const struct ds_scenario *s, const struct ds_watched *e,
                         struct dc_text *out);

#endif
