/* A client's wallet: the notes that are its own, and payments with them that nobody can follow.
 *
 *   final block --> new notes, view tag first --> own notes --------------+
 *   SHIELD call --> TX_SHIELD: balance into a note of its own             |
 *   UNSHIELD call: a payment whose amount leaves into the account's balance, in the open
 *   PAY call ----> one or two notes --> decoys by age --> proof --> TX_SHIELDED to the leaders
 *                                                          |  again every few heights, same bytes
 *                          its output in the final state --> paid, latency noted
 *
 * A wallet that is full, with no payment under way, puts two notes together into one: the smallest,
 * and the smallest that makes the two more than a fee.
 *
 * A note is free, or one payment spends it, and no other ever.  A payment's bytes are kept and sent
 * again until they are final; they never change, so that there are never two spends of one note, and
 * they are durable, so that a crash does not forget them.  A wallet that lost its store finds its
 * notes again from its key alone; of payments that it forgot it sees what became of their notes.
 *
 * Decoys: see wallet_ring.c.  What a wallet needs of others is their address, from a book that
 * everybody has (config->book, by account). */
#ifndef MODELS_CLIENT_WALLET_H
#define MODELS_CLIENT_WALLET_H

#include "models/client/client.h"
#include "models/ledger/vault.h"
#include "models/privacy/transfer.h"

#define DC_WALLET_NOTES_MAX 64   /* more wait on the chain until there is room */
#define DC_WALLET_PAYMENTS_MAX 4 /* under way at once; a call for more is given up */
#define DC_WALLET_RETRY_HEIGHTS 8
#define DC_WALLET_SHIELD_TRIES 8 /* then it is given up: the balance may not suffice */

/* What is done to a payment's body after it was proved. */
typedef bool dc_wallet_bend(const struct dc_transfer_plan *plan, uint8_t *body, size_t size);

struct dc_wallet_note {
    uint32_t id;
    uint8_t spending; /* 1 + index of the payment that spends it; 0: free */
    uint64_t amount;
    uint8_t key[32], blinding[32], image[32];
};
enum dc_wallet_live { DC_WALLET_FREE, DC_WALLET_CALLED, DC_WALLET_MERGE };
struct dc_wallet_payment {
    uint8_t live;  /* enum dc_wallet_live: a place, of a call, of its own accord */
    uint8_t notes; /* that it spends; 0: a SHIELD */
    uint16_t tries;
    uint32_t size;
    uint32_t looked; /* notes of the chain in which its outputs were looked for */
    int64_t called_ns;
    uint64_t sent_height;
    uint8_t key[2][32]; /* of its outputs: the recipient's, and change; or one, and zeros */
    uint8_t bytes[DC_TRANSFER_BYTES_MAX]; /* the whole transaction */
};
struct dc_wallet {
    struct dc_stealth_keys keys;
    uint8_t seed[32]; /* what payments draw their secrets from */
    uint32_t scanned; /* notes of the chain that were looked at */
    uint32_t count;   /* own notes that are not known to be gone */
    uint64_t made;    /* payments, ever: names the secrets of the next */
    uint64_t changes; /* of what is durable */
    struct dc_wallet_note note[DC_WALLET_NOTES_MAX];
    struct dc_wallet_payment payment[DC_WALLET_PAYMENTS_MAX];
    dc_wallet_bend *bend; /* a thief's (models/adversary/thief.h), or NULL */
};

/* The address that a client with this key has: for the book. */
void dc_wallet_address(const struct dc_keypair *key, struct dc_stealth_address *out);

struct dc_wallet *dc_wallet_create(const struct dc_keypair *key); /* dc_mem_*; NULL: memory out */
void dc_wallet_free(struct dc_wallet *w);                         /* NULL allowed */

/* Whether a call is a wallet's. */
static inline bool dc_wallet_calls(enum dc_call_kind kind)
{
    return kind == DC_CALL_SHIELD || kind == DC_CALL_PAY || kind == DC_CALL_UNSHIELD;
}
/* Such a call; `c` gives the nonce of a SHIELD. */
void dc_wallet_call(struct dc_wallet *w, struct dc_client *c, const struct dc_client_env *env,
                    const struct dc_input *in, struct dc_effects *out);
/* A block became final: env->state is the state after it. */
void dc_wallet_commit(struct dc_wallet *w, const struct dc_client_env *env, int64_t now_ns,
                      struct dc_effects *out);
/* Sum of its notes that are free and old enough to be spent. */
uint64_t dc_wallet_balance(const struct dc_wallet *w, const struct dc_state *state);

/* The notes of a state, from 0, that are old enough to stand in rings now and ever after. */
uint32_t dc_wallet_eligible(const struct dc_state *state);
/* A payment by these notes as a whole transaction in out (at least DC_TRANSFER_BYTES_MAX), and the
 * keys of its two outputs, the recipient's first, or of the one.  Returns its size, 0 when there are
 * too few notes for a ring.  `number` names its secrets: never the same for two payments of a seed.
 * Charges what it costs. */
struct dc_wallet_order {
    uint32_t notes;
    const struct dc_wallet_note *note[DC_TRANSFER_INPUTS_MAX];
    const struct dc_stealth_address *to; /* NULL: nobody; all but fee and unshield is change */
    const struct dc_stealth_address *change;
    uint64_t amount, fee, number;
    uint64_t unshield; /* into `account` */
    uint32_t account;
    dc_wallet_bend *bend; /* or NULL */
};
size_t dc_wallet_pay(const struct dc_client_env *env, const uint8_t seed[32],
                     const struct dc_wallet_order *order, uint8_t *out, uint8_t key[2][32],
                     struct dc_effects *effects);

/* What of it is durable. */
size_t dc_wallet_image_max(const struct dc_wallet *w);
void dc_wallet_write(const struct dc_wallet *w, struct dc_writer *out);
bool dc_wallet_read(struct dc_wallet *w, struct dc_reader *r) DC_MUST_USE;
uint64_t dc_wallet_mark(const struct dc_wallet *w);

#endif
