/* Noise: the published vectors of cacophony, snow and noise-c, and what must be refused. */
#include "models/crypto/noise.h"
#include "tests/support/harness.h"
#include "tests/support/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { BUFFER = 1024, MESSAGES = 16 };

static struct dc_exchange exchange(uint64_t owner)
{
    struct dc_exchange e;
    uint8_t seed[32];
    dc_seed_derive(11, owner, DC_KEY_EXCHANGE, 0, seed);
    dc_exchange_from_seed(seed, &e);
    return e;
}

/* --- published vectors ------------------------------------------------------------------------ */

struct side {
    struct dc_exchange own, ephemeral;
    uint8_t prologue[256], remote[32], psk[DC_NOISE_PSK_MAX][32];
    struct dc_noise_config config;
    struct dc_noise noise;
    struct dc_noise_cipher send, receive;
};

static bool side_key(const struct json *v, const char *side, const char *what, uint8_t *out)
{
    char name[32];
    snprintf(name, sizeof name, "%s_%s", side, what);
    const char *hex = json_text(v, name);
    return hex[0] != 0 && test_hex(hex, out, 32) == 32;
}

static bool side_begin(struct side *s, const struct json *v, const char *name, const char *pattern)
{
    char member[32];
    memset(s, 0, sizeof *s);
    snprintf(member, sizeof member, "%s_prologue", name);
    size_t size = test_hex(json_text(v, member), s->prologue, sizeof s->prologue);
    CU_ASSERT_NOT_EQUAL_FATAL(size, SIZE_MAX);
    s->config = (struct dc_noise_config){.pattern = pattern,
                                         .initiator = name[0] == 'i',
                                         .prologue = s->prologue,
                                         .prologue_size = size,
                                         .psk = (const uint8_t(*)[32])s->psk};
    uint8_t secret[32];
    if (side_key(v, name, "static", secret)) {
        dc_exchange_from_seed(secret, &s->own);
        s->config.own = &s->own;
    }
    if (side_key(v, name, "ephemeral", secret)) {
        dc_exchange_from_seed(secret, &s->ephemeral);
        s->config.ephemeral = &s->ephemeral;
    }
    if (side_key(v, name, "remote_static", s->remote))
        s->config.remote = s->remote;
    snprintf(member, sizeof member, "%s_psks", name);
    for (const struct json *p = json_first(json_get(v, member)); p != NULL; p = p->next)
        CU_ASSERT_EQUAL(test_hex(p->text, s->psk[s->config.psks++], 32), 32);
    return dc_noise_begin(&s->noise, &s->config);
}

static void vector_hash(const struct json *v, const struct side *s)
{
    uint8_t hash[64];
    if (json_text(v, "handshake_hash")[0] == 0)
        return;
    CU_ASSERT_EQUAL(test_hex(json_text(v, "handshake_hash"), hash, 64), 64);
    CU_ASSERT_EQUAL(memcmp(hash, s->noise.h, 64), 0);
}

static void vector_run(const struct json *v, const char *pattern)
{
    struct side s[2];
    uint8_t payload[BUFFER], wanted[BUFFER], sent[BUFFER], got[BUFFER];
    bool split = false, one_way = strlen(pattern) == 1 || pattern[1] == 'p';
    unsigned at = 0;
    CU_ASSERT_TRUE_FATAL(side_begin(&s[0], v, "init", pattern));
    CU_ASSERT_TRUE_FATAL(side_begin(&s[1], v, "resp", pattern));
    for (const struct json *m = json_first(json_get(v, "messages")); m != NULL; m = m->next, at++) {
        struct side *from = &s[one_way ? 0 : at % 2], *to = &s[one_way ? 1 : 1 - at % 2];
        size_t size = test_hex(json_text(m, "payload"), payload, BUFFER);
        size_t wanted_size = test_hex(json_text(m, "ciphertext"), wanted, BUFFER);
        size_t sent_size = size + DC_NOISE_TAG_BYTES, got_size = size;
        CU_ASSERT_NOT_EQUAL_FATAL(size, SIZE_MAX);
        CU_ASSERT_NOT_EQUAL_FATAL(wanted_size, SIZE_MAX);
        if (from->noise.state == DC_NOISE_WRITES) {
            CU_ASSERT_TRUE(dc_noise_write(&from->noise, payload, size, sent, BUFFER, &sent_size));
            CU_ASSERT_TRUE(dc_noise_read(&to->noise, sent, sent_size, got, BUFFER, &got_size));
        } else {
            if (!split) {
                vector_hash(v, from);
                vector_hash(v, to);
                for (int i = 0; i < 2; i++)
                    dc_noise_split(&s[i].noise, &s[i].send, &s[i].receive);
            }
            split = true;
            CU_ASSERT_TRUE(dc_noise_seal(&from->send, NULL, 0, payload, size, sent));
            CU_ASSERT_TRUE(dc_noise_open(&to->receive, NULL, 0, sent, sent_size, got));
        }
        CU_ASSERT_EQUAL_FATAL(sent_size, wanted_size);
        CU_ASSERT_EQUAL(memcmp(sent, wanted, wanted_size), 0);
        CU_ASSERT_EQUAL_FATAL(got_size, size);
        CU_ASSERT_EQUAL(memcmp(got, payload, size), 0);
    }
    CU_ASSERT_TRUE(at >= 2);
    CU_ASSERT_TRUE(split);
}

/* Of the protocols of a file, those with our three algorithms: all of them are run, but for
 * NoisePSK_, how revision 30 and older mixed in pre-shared keys. */
static size_t vector_file(const char *file, size_t *others, size_t *before, size_t *channels)
{
    size_t size, count = 0;
    char path[128], *text;
    snprintf(path, sizeof path, "vectors/noise/%s", file);
    *others = *before = *channels = 0;
    text = test_shared_file(path, &size);
    if (text == NULL)
        return 0;
    struct json *root = json_parse(text);
    CU_ASSERT_PTR_NOT_NULL_FATAL(root);
    for (const struct json *v = json_first(json_get(root, "vectors")); v != NULL; v = v->next) {
        const char *name = json_text(v, "protocol_name");
        char pattern[40] = {0};
        name = name[0] != 0 ? name : json_text(v, "name");
        const char *at = strchr(name, '_');
        size_t length = at != NULL ? strcspn(at + 1, "_") : 0;
        CU_ASSERT_TRUE_FATAL(length > 0 && length < sizeof pattern);
        memcpy(pattern, at + 1, length);
        if (strcmp(at + 1 + length, "_25519_ChaChaPoly_BLAKE2b") != 0) {
            (*others)++;
        } else if (strncmp(name, "NoisePSK_", 9) == 0) {
            (*before)++;
        } else {
            vector_run(v, pattern);
            *channels += strcmp(pattern, "XX") == 0 || strcmp(pattern, "IK") == 0;
            count++;
        }
    }
    json_free(root);
    free(text);
    return count;
}

static void test_vectors(void)
{
    static const struct {
        const char *file;
        size_t run, others, before, channels;
    } files[] = {
        {"noise_25519_ChaChaPoly_BLAKE2b.json", 125, 0, 0, 6},
        {"cacophony.txt", 59, 885, 0, 2},
        {"snow.txt", 51, 357, 0, 2},
        {"noise-c-basic.txt", 15, 450, 15, 2},
    };
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        size_t others, before, channels;
        size_t count = vector_file(files[i].file, &others, &before, &channels);
        if (count == 0)
            return;
        CU_ASSERT_EQUAL(count, files[i].run);
        CU_ASSERT_EQUAL(others, files[i].others);
        CU_ASSERT_EQUAL(before, files[i].before);
        CU_ASSERT_EQUAL(channels, files[i].channels);
        printf("\n    %s: %zu run (%zu XX and IK); not %zu of old PSKs, %zu of other algorithms",
               files[i].file, count, channels, before, others);
    }
    printf("\n  ");
}

/* --- what is refused -------------------------------------------------------------------------- */

static struct {
    struct dc_exchange fixed[2], ephemeral[2];
    struct dc_noise noise[2];
} pair;

static void pair_begin(const char *pattern)
{
    for (int i = 0; i < 2; i++) {
        pair.fixed[i] = exchange(1 + (uint64_t)i);
        pair.ephemeral[i] = exchange(11 + (uint64_t)i);
    }
    for (int i = 0; i < 2; i++) {
        struct dc_noise_config c = {.pattern = pattern,
                                    .initiator = i == 0,
                                    .prologue = "test",
                                    .prologue_size = 4,
                                    .own = &pair.fixed[i],
                                    .ephemeral = &pair.ephemeral[i],
                                    .remote = pair.fixed[1 - i].public};
        CU_ASSERT_TRUE_FATAL(dc_noise_begin(&pair.noise[i], &c));
    }
}

/* Every bit of every message, and every length below, read on a copy: some later message of the same
 * handshake is refused at the latest (a change of an unsealed ephemeral shows in the next one). */
static size_t mutate(const char *pattern)
{
    size_t refused = 0, size, got_size;
    uint8_t sent[BUFFER], got[BUFFER], reply[BUFFER];
    pair_begin(pattern);
    for (int at = 0; pair.noise[at % 2].state == DC_NOISE_WRITES; at++) {
        struct dc_noise *from = &pair.noise[at % 2], *to = &pair.noise[1 - at % 2];
        CU_ASSERT_TRUE_FATAL(dc_noise_write(from, "payload", 7, sent, BUFFER, &size));
        for (size_t bit = 0; bit < 8 * size; bit++) {
            struct dc_noise copy = *to, asked = *from;
            size_t reply_size = 0;
            sent[bit / 8] ^= (uint8_t)(1 << bit % 8);
            bool taken = dc_noise_read(&copy, sent, size, got, BUFFER, &got_size);
            sent[bit / 8] ^= (uint8_t)(1 << bit % 8);
            if (taken) { /* the first message of XX: nothing in it is sealed */
                CU_ASSERT_EQUAL(at, 0);
                taken = dc_noise_write(&copy, NULL, 0, reply, BUFFER, &reply_size) &&
                        dc_noise_read(&asked, reply, reply_size, got, BUFFER, &got_size);
            }
            CU_ASSERT_FALSE(taken);
            refused += !taken;
        }
        for (size_t cut = 0; cut < size; cut++) {
            struct dc_noise copy = *to;
            if (at > 0 || pattern[0] == 'I' || cut < 32)
                CU_ASSERT_FALSE(dc_noise_read(&copy, sent, cut, got, BUFFER, &got_size));
        }
        CU_ASSERT_TRUE_FATAL(dc_noise_read(to, sent, size, got, BUFFER, &got_size));
        CU_ASSERT_EQUAL(got_size, 7);
        CU_ASSERT_EQUAL(memcmp(got, "payload", 7), 0);
    }
    CU_ASSERT_EQUAL(pair.noise[0].state, DC_NOISE_DONE);
    CU_ASSERT_EQUAL(pair.noise[1].state, DC_NOISE_DONE);
    return refused;
}

static void test_mutations(void)
{
    static const char *const patterns[] = {"XX", "IK"};
    for (int p = 0; p < 2; p++) {
        struct dc_noise_cipher send, receive, unused;
        uint8_t sealed[64], got[64];
        CU_ASSERT_EQUAL(mutate(patterns[p]), p == 0 ? 8 * (39 + 103 + 71) : 8 * (103 + 55));
        dc_noise_split(&pair.noise[0], &send, &unused);
        dc_noise_split(&pair.noise[1], &unused, &receive);
        CU_ASSERT_TRUE(dc_noise_seal(&send, "head", 4, "twenty bytes of text", 20, sealed));
        for (size_t bit = 0; bit < 8 * 36; bit++) {
            sealed[bit / 8] ^= (uint8_t)(1 << bit % 8);
            CU_ASSERT_FALSE(dc_noise_open(&receive, "head", 4, sealed, 36, got));
            sealed[bit / 8] ^= (uint8_t)(1 << bit % 8);
        }
        for (size_t cut = 0; cut < 36; cut++)
            CU_ASSERT_FALSE(dc_noise_open(&receive, "head", 4, sealed, cut, got));
        CU_ASSERT_FALSE(dc_noise_open(&receive, "Head", 4, sealed, 36, got));
        CU_ASSERT_TRUE(dc_noise_open(&receive, "head", 4, sealed, 36, got));
        CU_ASSERT_FALSE(dc_noise_open(&receive, "head", 4, sealed, 36, got)); /* a replay */
    }
}

/* RFC 7748's points of small order, and the field's other names of them, as a peer's ephemeral key:
 * the shared point is zero, and the handshake ends. */
static void test_zero(void)
{
    static const char *const points[] = {
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000000",
        "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
        "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    };
    uint8_t message[BUFFER], got[BUFFER];
    size_t size, n = sizeof points / sizeof points[0];
    for (size_t i = 0; i < n; i++) {
        pair_begin("XX");
        CU_ASSERT_EQUAL(test_hex(points[i], message, 32), 32);
        CU_ASSERT_TRUE(dc_noise_read(&pair.noise[1], message, 32, got, BUFFER, &size));
        CU_ASSERT_FALSE(dc_noise_write(&pair.noise[1], NULL, 0, got, BUFFER, &size));
        CU_ASSERT_EQUAL(pair.noise[1].state, DC_NOISE_FAILED);
        pair_begin("IK");
        memset(message + 32, 7, 64);
        CU_ASSERT_FALSE(dc_noise_read(&pair.noise[1], message, 96, got, BUFFER, &size));
        CU_ASSERT_EQUAL(pair.noise[1].state, DC_NOISE_FAILED);
    }
}

static void test_limits(void)
{
    struct dc_noise_cipher a = {.keyed = true}, b = {.keyed = true};
    uint8_t sealed[64], got[64];
    a.nonce = b.nonce = DC_NOISE_NONCE_MAX - 1;
    CU_ASSERT_TRUE(dc_noise_seal(&a, NULL, 0, "x", 1, sealed));
    CU_ASSERT_TRUE(dc_noise_open(&b, NULL, 0, sealed, 17, got));
    CU_ASSERT_FALSE(dc_noise_seal(&a, NULL, 0, "x", 1, sealed));
    CU_ASSERT_FALSE(dc_noise_open(&b, NULL, 0, sealed, 17, got));
    struct dc_noise_cipher old = {.keyed = true}, new = old, peer = old;
    dc_noise_rekey(&new);
    CU_ASSERT_NOT_EQUAL(memcmp(old.key, new.key, 32), 0);
    CU_ASSERT_TRUE(dc_noise_seal(&new, NULL, 0, "x", 1, sealed));
    CU_ASSERT_FALSE(dc_noise_open(&peer, NULL, 0, sealed, 17, got));
    dc_noise_rekey(&peer);
    CU_ASSERT_TRUE(dc_noise_open(&peer, NULL, 0, sealed, 17, got));
    pair_begin("XX");
    size_t size;
    static uint8_t large[DC_NOISE_MESSAGE_MAX + 1], out[2 * (DC_NOISE_MESSAGE_MAX + 1)];
    CU_ASSERT_FALSE(dc_noise_write(&pair.noise[0], large, sizeof large, out, sizeof out, &size));
    pair_begin("XX");
    CU_ASSERT_FALSE(dc_noise_write(&pair.noise[0], large, 100, out, 131, &size));
    pair_begin("XX");
    CU_ASSERT_FALSE(dc_noise_read(&pair.noise[1], out, sizeof out, large, sizeof large, &size));
}

static void test_begin(void)
{
    struct dc_exchange own = exchange(1), ephemeral = exchange(2);
    static const uint8_t psk[2][32] = {{1}, {2}};
    const struct dc_noise_config good = {.pattern = "IK",
                                         .initiator = true,
                                         .own = &own,
                                         .ephemeral = &ephemeral,
                                         .remote = ephemeral.public};
    struct dc_noise_config c = good;
    struct dc_noise n;
    CU_ASSERT_TRUE(dc_noise_begin(&n, &c));
    CU_ASSERT_EQUAL(dc_noise_exchanges(&n), 2);
    static const char *const wrong[] = {"",       "ZZ",         "XXX",     "XXfallback", "XXpsk",
                                        "XXpsk4", "XXpsk0psk1", "XXpsk0+", "xx",         "IKpsk0"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        c.pattern = wrong[i];
        CU_ASSERT_FALSE(dc_noise_begin(&n, &c));
        CU_ASSERT_EQUAL(n.state, DC_NOISE_FAILED);
    }
    c = good;
    c.remote = NULL;
    CU_ASSERT_FALSE(dc_noise_begin(&n, &c));
    c = good;
    c.own = NULL;
    CU_ASSERT_FALSE(dc_noise_begin(&n, &c));
    c = good;
    c.ephemeral = NULL;
    CU_ASSERT_FALSE(dc_noise_begin(&n, &c));
    c = good;
    c.psk = psk;
    c.psks = 2;
    CU_ASSERT_FALSE(dc_noise_begin(&n, &c));
    c.pattern = "IKpsk0+psk2";
    CU_ASSERT_TRUE(dc_noise_begin(&n, &c));
}

/* Other prologues, other patterns, and messages of another handshake do not meet. */
static void test_binding(void)
{
    uint8_t sent[BUFFER], got[BUFFER];
    size_t size, got_size;
    for (int what = 0; what < 3; what++) {
        pair_begin("XX");
        struct dc_noise_config c = {.pattern = what == 1 ? "XX1" : "XX",
                                    .prologue = what == 0 ? "Test" : "test",
                                    .prologue_size = 4,
                                    .own = &pair.fixed[1],
                                    .ephemeral = &pair.ephemeral[1]};
        struct dc_exchange other = exchange(50);
        if (what == 2)
            c.ephemeral = &other;
        struct dc_noise responder;
        CU_ASSERT_TRUE_FATAL(dc_noise_begin(&responder, &c));
        CU_ASSERT_TRUE(dc_noise_write(&pair.noise[0], NULL, 0, sent, BUFFER, &size));
        CU_ASSERT_TRUE(dc_noise_read(&responder, sent, size, got, BUFFER, &got_size));
        CU_ASSERT_TRUE(dc_noise_write(&responder, NULL, 0, sent, BUFFER, &size));
        if (what == 2) { /* the real responder's later words, for this one's handshake */
            struct dc_noise initiator = pair.noise[0];
            CU_ASSERT_TRUE(dc_noise_read(&initiator, sent, size, got, BUFFER, &got_size));
            CU_ASSERT_TRUE(dc_noise_write(&initiator, NULL, 0, sent, BUFFER, &size));
            struct dc_noise first = pair.noise[1];
            CU_ASSERT_TRUE(
                dc_noise_read(&first, pair.ephemeral[0].public, 32, got, BUFFER, &got_size));
            uint8_t reply[BUFFER];
            CU_ASSERT_TRUE(dc_noise_write(&first, NULL, 0, reply, BUFFER, &got_size));
            CU_ASSERT_FALSE(dc_noise_read(&first, sent, size, got, BUFFER, &got_size));
        } else {
            CU_ASSERT_FALSE(dc_noise_read(&pair.noise[0], sent, size, got, BUFFER, &got_size));
        }
    }
}

/* Both sides of a handshake against one Ed25519 verification of the same run; printed, not judged. */
static void test_cost(void)
{
    static const char *const patterns[] = {"XX", "IK"};
    enum { TIMES = 50 };
    for (int p = 0; p < 2; p++) {
        uint8_t sent[BUFFER], got[BUFFER];
        size_t size, got_size;
        clock_t since = clock();
        for (int i = 0; i < TIMES; i++) {
            pair_begin(patterns[p]);
            for (int at = 0; pair.noise[at % 2].state == DC_NOISE_WRITES; at++) {
                CU_ASSERT_TRUE(dc_noise_write(&pair.noise[at % 2], NULL, 0, sent, BUFFER, &size));
                CU_ASSERT_TRUE(
                    dc_noise_read(&pair.noise[1 - at % 2], sent, size, got, BUFFER, &got_size));
            }
        }
        double us = 1e6 * (double)(clock() - since) / CLOCKS_PER_SEC / TIMES;
        printf("\n    %s: %.0f us both sides, with two static keys made", patterns[p], us);
    }
    printf("\n  ");
}

int main(void)
{
    static const struct test_case cases[] = {
        {"vectors", test_vectors}, {"mutations", test_mutations}, {"zero", test_zero},
        {"limits", test_limits},   {"begin", test_begin},         {"binding", test_binding},
        {"cost", test_cost},
    };
    dc_crypto_init();
    return TEST_MAIN("noise", cases);
}
