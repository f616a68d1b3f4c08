/* Noise: patterns, symmetric state, handshake and transport.  The state is drawn in noise.h.
 *
 * A pattern is text: who has a static key that the other knows beforehand (i, r), then messages in
 * turn, initiator first, each a string of tokens:
 *
 *   e  ephemeral key     s  static key      E  ee     A  es     B  se     S  ss     p  psk
 *
 * A modifier pskN puts p at the begin of the first message (N = 0), else at the end of message N. */
#include "models/crypto/noise.h"

#include "models/crypto/hmac.h"

#include <sodium/crypto_aead_chacha20poly1305.h>

struct noise_pattern {
    char name[5];
    char known[3];
    char message[3][6];
};

/* Section 7.4 (one-way), 7.5 (fundamental) and 18.1 (deferred) of revision 34. */
static const struct noise_pattern noise_patterns[] = {
    {"N", "r", {"eA"}},
    {"K", "ir", {"eAS"}},
    {"X", "r", {"eAsS"}},
    {"NN", "", {"e", "eE"}},
    {"NK", "r", {"eA", "eE"}},
    {"NX", "", {"e", "eEsA"}},
    {"XN", "", {"e", "eE", "sB"}},
    {"XK", "r", {"eA", "eE", "sB"}},
    {"XX", "", {"e", "eEsA", "sB"}},
    {"KN", "i", {"e", "eEB"}},
    {"KK", "ir", {"eAS", "eEB"}},
    {"KX", "i", {"e", "eEBsA"}},
    {"IN", "", {"es", "eEB"}},
    {"IK", "r", {"eAsS", "eEB"}},
    {"IX", "", {"es", "eEBsA"}},
    {"NK1", "r", {"e", "eEA"}},
    {"NX1", "", {"e", "eEs", "A"}},
    {"X1N",
     "",
     {
         "e",
         "eE",
         "s",
     }},
    {"X1K", "r", {"eA", "eE", "s"}},
    {"XK1", "r", {"e", "eEA", "sB"}},
    {"X1K1", "r", {"e", "eEA", "s"}},
    {"X1X", "", {"e", "eEsA", "s"}},
    {"XX1", "", {"e", "eEs", "AsB"}},
    {"X1X1", "", {"e", "eEs", "As"}},
    {"K1N", "i", {"e", "eE", "B"}},
    {"K1K", "ir", {"eA", "eE", "B"}},
    {"KK1", "ir", {"e", "eEBA"}},
    {"K1K1", "ir", {"e", "eEA", "B"}},
    {"K1X", "i", {"e", "eEsA", "B"}},
    {"KX1", "i", {"e", "eEBs", "A"}},
    {"K1X1", "i", {"e", "eEs", "BA"}},
    {"I1N", "", {"es", "eE", "B"}},
    {"I1K", "r", {"eAs", "eE", "B"}},
    {"IK1", "r", {"es", "eEBA"}},
    {"I1K1", "r", {"es", "eEA", "B"}},
    {"I1X", "", {"es", "eEsA", "B"}},
    {"IX1", "", {"es", "eEBs", "A"}},
    {"I1X1", "", {"es", "eEs", "BA"}},
};

/* --- hashing ---------------------------------------------------------------------------------- */

static void noise_hash(const void *a, size_t a_size, const void *b, size_t b_size, uint8_t out[64])
{
    crypto_generichash_blake2b_state s;
    crypto_generichash_blake2b_init(&s, NULL, 0, DC_NOISE_HASH_BYTES);
    crypto_generichash_blake2b_update(&s, a, a_size);
    if (b_size != 0)
        crypto_generichash_blake2b_update(&s, b, b_size);
    crypto_generichash_blake2b_final(&s, out, DC_NOISE_HASH_BYTES);
}

/* count keys of 64 bytes each: RFC 5869 without info. */
static void noise_derive(const uint8_t ck[64], const void *input, size_t size, uint8_t *out,
                         size_t count)
{
    DC_CHECK(dc_hkdf(DC_HMAC_BLAKE2B, ck, 64, input, size, NULL, 0, out, 64 * count));
}

/* --- ciphers ---------------------------------------------------------------------------------- */

static void noise_nonce(uint64_t n, uint8_t nonce[12])
{
    memset(nonce, 0, 4);
    dc_put64(nonce + 4, n);
}

bool dc_noise_seal(struct dc_noise_cipher *c, const void *data, size_t data_size, const void *plain,
                   size_t size, uint8_t *out)
{
    uint8_t nonce[12];
    if (!c->keyed) {
        if (size != 0)
            memmove(out, plain, size);
        return true;
    }
    if (c->nonce == DC_NOISE_NONCE_MAX)
        return false;
    noise_nonce(c->nonce++, nonce);
    return crypto_aead_chacha20poly1305_ietf_encrypt(out, NULL, plain, size, data, data_size, NULL,
                                                     nonce, c->key) == 0;
}

bool dc_noise_open(struct dc_noise_cipher *c, const void *data, size_t data_size,
                   const void *sealed, size_t size, uint8_t *out)
{
    uint8_t nonce[12];
    if (!c->keyed) {
        if (size != 0)
            memmove(out, sealed, size);
        return true;
    }
    if (c->nonce == DC_NOISE_NONCE_MAX || size < DC_NOISE_TAG_BYTES)
        return false;
    noise_nonce(c->nonce, nonce);
    if (crypto_aead_chacha20poly1305_ietf_decrypt(out, NULL, NULL, sealed, size, data, data_size,
                                                  nonce, c->key) != 0)
        return false;
    c->nonce++;
    return true;
}

void dc_noise_rekey(struct dc_noise_cipher *c)
{
    static const uint8_t zeros[32];
    uint8_t out[32 + DC_NOISE_TAG_BYTES], nonce[12];
    noise_nonce(DC_NOISE_NONCE_MAX, nonce);
    (void)crypto_aead_chacha20poly1305_ietf_encrypt(out, NULL, zeros, sizeof zeros, NULL, 0, NULL,
                                                    nonce, c->key);
    memcpy(c->key, out, sizeof c->key);
}

/* --- the symmetric state ---------------------------------------------------------------------- */

static void noise_key(struct dc_noise_cipher *c, const uint8_t key[32])
{
    memcpy(c->key, key, sizeof c->key);
    c->nonce = 0;
    c->keyed = true;
}

static void noise_mix_key(struct dc_noise *n, const void *input, size_t size)
{
    uint8_t key[2][64];
    noise_derive(n->ck, input, size, key[0], 2);
    memcpy(n->ck, key[0], sizeof n->ck);
    noise_key(&n->cipher, key[1]);
}

static void noise_mix_hash(struct dc_noise *n, const void *data, size_t size)
{
    uint8_t next[64];
    noise_hash(n->h, sizeof n->h, data, size, next);
    memcpy(n->h, next, sizeof n->h);
}

static void noise_mix_psk(struct dc_noise *n)
{
    uint8_t key[3][64];
    noise_derive(n->ck, n->psk[n->psk_at++], 32, key[0], 3);
    memcpy(n->ck, key[0], sizeof n->ck);
    noise_mix_hash(n, key[1], sizeof key[1]);
    noise_key(&n->cipher, key[2]);
}

static size_t noise_tag(const struct dc_noise *n)
{
    return n->cipher.keyed ? DC_NOISE_TAG_BYTES : 0;
}

static bool noise_encrypt(struct dc_noise *n, const void *plain, size_t size, uint8_t *out)
{
    size_t whole = size + noise_tag(n);
    if (!dc_noise_seal(&n->cipher, n->h, sizeof n->h, plain, size, out))
        return false;
    noise_mix_hash(n, out, whole);
    return true;
}

static bool noise_decrypt(struct dc_noise *n, const uint8_t *sealed, size_t size, uint8_t *out)
{
    struct dc_noise_cipher *c = &n->cipher;
    uint8_t before[64];
    memcpy(before, n->h, sizeof before);
    noise_mix_hash(n, sealed, size);
    return dc_noise_open(c, before, sizeof before, sealed, size, out);
}

/* E, A, B, S: whose static or ephemeral key, the initiator's named first. */
static bool noise_exchange(struct dc_noise *n, char token)
{
    bool fixed_own = token == 'S' || (token == 'B') == n->initiator;
    bool fixed_peer = token == 'S' || (token == 'A') == n->initiator;
    uint8_t shared[32];
    if (token == 'E')
        fixed_own = fixed_peer = false;
    if (!(fixed_peer ? n->known_static : n->known_ephemeral) ||
        !dc_exchange_shared(fixed_own ? &n->own : &n->ephemeral,
                            fixed_peer ? n->remote : n->remote_ephemeral, shared))
        return false;
    noise_mix_key(n, shared, sizeof shared);
    return true;
}

/* --- beginning -------------------------------------------------------------------------------- */

static const struct noise_pattern *noise_find(const char *name, size_t size)
{
    for (size_t i = 0; i < sizeof noise_patterns / sizeof noise_patterns[0]; i++)
        if (strlen(noise_patterns[i].name) == size &&
            memcmp(noise_patterns[i].name, name, size) == 0)
            return &noise_patterns[i];
    return NULL;
}

/* "psk0+psk2": puts a p where each says; returns how many, or -1. */
static int noise_modify(struct dc_noise *n, const char *text)
{
    int count = 0;
    for (; *text != 0; count++) {
        if (count > 0 && *text++ != '+')
            return -1;
        if (strncmp(text, "psk", 3) != 0 || text[3] < '0' || text[3] > '0' + n->messages)
            return -1;
        unsigned at = (unsigned)(text[3] - '0');
        char *token = n->token[at == 0 ? 0 : at - 1];
        size_t size = strlen(token);
        if (size + 1 >= DC_NOISE_TOKENS_MAX || count == DC_NOISE_PSK_MAX)
            return -1;
        if (at == 0) {
            memmove(token + 1, token, size + 1);
            token[0] = 'p';
        } else {
            token[size] = 'p';
        }
        text += 4;
    }
    return count;
}

/* X1 moves `se` one message later; the table ends such patterns at the third message, so that it
 * stays narrow: the fourth is always `se` alone. */
static void noise_tokens(struct dc_noise *n, const struct noise_pattern *p)
{
    while (n->messages < 3 && p->message[n->messages][0] != 0) {
        memcpy(n->token[n->messages], p->message[n->messages], sizeof p->message[0]);
        n->messages++;
    }
    if (p->name[0] == 'X' && p->name[1] == '1')
        memcpy(n->token[n->messages++], "B", 2);
}

static bool noise_uses(const struct dc_noise *n, bool initiator, const char *tokens)
{
    for (uint8_t i = 0; i < n->messages; i++)
        if ((i % 2 == 0) == initiator && strpbrk(n->token[i], tokens) != NULL)
            return true;
    return false;
}

bool dc_noise_begin(struct dc_noise *n, const struct dc_noise_config *config)
{
    size_t base = strcspn(config->pattern, "p");
    const struct noise_pattern *p = noise_find(config->pattern, base);
    char name[64] = "Noise_";
    memset(n, 0, sizeof *n);
    if (p == NULL || strlen(config->pattern) > 32)
        return false;
    n->initiator = config->initiator;
    noise_tokens(n, p);
    int psks = noise_modify(n, config->pattern + base);
    if (psks < 0 || (size_t)psks != config->psks)
        return false;
    n->psk_used = psks > 0;
    for (int i = 0; i < psks; i++)
        memcpy(n->psk[i], config->psk[i], 32);
    const char own_side = n->initiator ? 'i' : 'r', other_side = n->initiator ? 'r' : 'i';
    bool known_own = strchr(p->known, own_side) != NULL;
    bool known_other = strchr(p->known, other_side) != NULL;
    if (((known_own || noise_uses(n, n->initiator, "s")) && config->own == NULL) ||
        (known_other && config->remote == NULL) ||
        (noise_uses(n, n->initiator, "e") && config->ephemeral == NULL))
        return false;
    if (config->own != NULL)
        n->own = *config->own;
    if (config->ephemeral != NULL)
        n->ephemeral = *config->ephemeral;
    n->known_static = known_other;
    if (known_other)
        memcpy(n->remote, config->remote, 32);
    memcpy(name + 6, config->pattern, strlen(config->pattern));
    strcat(name, "_25519_ChaChaPoly_BLAKE2b");
    if (strlen(name) <= sizeof n->h)
        memcpy(n->h, name, strlen(name));
    else
        noise_hash(name, strlen(name), NULL, 0, n->h);
    memcpy(n->ck, n->h, sizeof n->ck);
    noise_mix_hash(n, config->prologue, config->prologue_size);
    for (const char *k = p->known; *k != 0; k++)
        noise_mix_hash(n, *k == own_side ? n->own.public : n->remote, 32);
    n->state = n->initiator ? DC_NOISE_WRITES : DC_NOISE_READS;
    return true;
}

/* --- messages --------------------------------------------------------------------------------- */

static bool noise_fail(struct dc_noise *n)
{
    memset(n, 0, sizeof *n); /* DC_NOISE_FAILED; no key of it is left */
    return false;
}

static void noise_next(struct dc_noise *n)
{
    n->at++;
    n->state = n->at == n->messages               ? DC_NOISE_DONE
               : (n->at % 2 == 0) == n->initiator ? DC_NOISE_WRITES
                                                  : DC_NOISE_READS;
}

static bool noise_write_token(struct dc_noise *n, char token, struct dc_writer *w)
{
    uint8_t sealed[32 + DC_NOISE_TAG_BYTES];
    size_t size = 32 + noise_tag(n);
    switch (token) {
    case 'e':
        dc_write(w, n->ephemeral.public, 32);
        noise_mix_hash(n, n->ephemeral.public, 32);
        if (n->psk_used)
            noise_mix_key(n, n->ephemeral.public, 32);
        return true;
    case 's':
        if (!noise_encrypt(n, n->own.public, 32, sealed))
            return false;
        dc_write(w, sealed, size);
        return true;
    case 'p': noise_mix_psk(n); return true;
    default: return noise_exchange(n, token);
    }
}

bool dc_noise_write(struct dc_noise *n, const void *payload, size_t size, uint8_t *out,
                    size_t out_max, size_t *out_size)
{
    DC_CHECK(n->state == DC_NOISE_WRITES);
    struct dc_writer w =
        dc_writer(out, out_max < DC_NOISE_MESSAGE_MAX ? out_max : DC_NOISE_MESSAGE_MAX);
    for (const char *t = n->token[n->at]; *t != 0; t++)
        if (!noise_write_token(n, *t, &w))
            return noise_fail(n);
    if (w.failed || size > w.size_max || w.size_max - w.size < size + noise_tag(n))
        return noise_fail(n);
    size_t whole = size + noise_tag(n);
    if (!noise_encrypt(n, payload, size, out + w.size))
        return noise_fail(n);
    *out_size = w.size + whole;
    noise_next(n);
    return true;
}

static bool noise_read_token(struct dc_noise *n, char token, struct dc_reader *r)
{
    const uint8_t *p;
    size_t size = 32 + noise_tag(n);
    switch (token) {
    case 'e':
        dc_read(r, n->remote_ephemeral, 32);
        n->known_ephemeral = true;
        noise_mix_hash(n, n->remote_ephemeral, 32);
        if (n->psk_used)
            noise_mix_key(n, n->remote_ephemeral, 32);
        return !r->failed;
    case 's':
        p = dc_read_in_place(r, size);
        n->known_static = true;
        return p != NULL && noise_decrypt(n, p, size, n->remote);
    case 'p': noise_mix_psk(n); return true;
    default: return noise_exchange(n, token);
    }
}

bool dc_noise_read(struct dc_noise *n, const void *message, size_t size, uint8_t *out,
                   size_t out_max, size_t *out_size)
{
    DC_CHECK(n->state == DC_NOISE_READS);
    struct dc_reader r = dc_reader(message, size);
    if (size > DC_NOISE_MESSAGE_MAX)
        return noise_fail(n);
    for (const char *t = n->token[n->at]; *t != 0; t++)
        if (!noise_read_token(n, *t, &r))
            return noise_fail(n);
    size_t left = size - r.offset;
    if (left < noise_tag(n) || left - noise_tag(n) > out_max)
        return noise_fail(n);
    *out_size = left - noise_tag(n);
    if (!noise_decrypt(n, (const uint8_t *)message + r.offset, left, out))
        return noise_fail(n);
    noise_next(n);
    return true;
}

void dc_noise_split(const struct dc_noise *n, struct dc_noise_cipher *send,
                    struct dc_noise_cipher *receive)
{
    uint8_t key[2][64];
    DC_CHECK(n->state == DC_NOISE_DONE);
    noise_derive(n->ck, NULL, 0, key[0], 2);
    noise_key(send, key[n->initiator ? 0 : 1]);
    noise_key(receive, key[n->initiator ? 1 : 0]);
}

uint32_t dc_noise_exchanges(const struct dc_noise *n)
{
    uint32_t count = 0;
    if (n->state != DC_NOISE_WRITES && n->state != DC_NOISE_READS)
        return 0;
    for (const char *t = n->token[n->at]; *t != 0; t++)
        count += *t >= 'A' && *t <= 'Z';
    return count;
}
