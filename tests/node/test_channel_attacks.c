/* Channels under attack: every bit of every message, garbage, wrong certificates, a man in the
 * middle, resets that nobody sent. */
#include "tests/node/wire.h"

/* Every bit of every message of both handshakes: the changed one achieves nothing, and the true one
 * that comes after it is taken all the same. */
static bool answered(size_t since)
{
    for (size_t i = since; i < t.wires; i++)
        if (t.wire[i].bytes[0] == DC_MSG_FRAME || t.wire[i].bytes[1] == DC_HELLO_XX3 ||
            t.wire[i].bytes[1] == DC_HELLO_IK2 || t.wire[i].bytes[1] == DC_HELLO_CONFIRM)
            return true;
    return false;
}

/* Up to the message that is changed. */
static void mutate_begin(bool ik, size_t which)
{
    begin(false);
    say(0, 1, "one");
    deliver();
    if (ik) {
        t.config[1].incarnation++;
        node_new(1);
        say(0, 1, "lost");
        for (; t.at < t.wires && t.wire[t.at].bytes[1] != DC_HELLO_IK1; t.at++)
            hand(t.at);
    } else {
        for (uint32_t n = 0; n < 2; n++)
            node_new(n);
        t.at = t.wires;
        t.gots[1] = 0;
    }
    say(0, 1, "two");
    for (size_t i = 0; i < which; i++)
        hand(t.at++);
}

static void mutate(bool ik)
{
    size_t changed = 0;
    for (size_t which = 0; which < 4; which++) {
        mutate_begin(ik, which);
        struct wire good = t.wire[t.at];
        size_t wires = t.wires, alarms = t.alarms;
        for (size_t bit = 0; bit < 8 * good.size; bit++, changed++) {
            t.wire[t.at].bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
            hand(t.at);
            CU_ASSERT_FALSE(answered(wires));
            CU_ASSERT_FALSE(heard(1, "two"));
            t.wires = wires;
            t.alarms = alarms;
            t.wire[t.at] = good;
        }
        deliver();
        pass(9LL * SECOND, true);
        CU_ASSERT_TRUE(heard(1, "two"));
        end();
    }
    CU_ASSERT_TRUE(changed > 4000);
}

static void test_bits(void)
{
    mutate(false);
}

static void test_bits_ik(void)
{
    mutate(true);
}

static void test_frame_bits(void)
{
    begin(false);
    say(0, 1, "one");
    deliver();
    say(0, 1, "two");
    struct wire good = t.wire[t.at];
    for (size_t bit = 0; bit < 8 * good.size; bit++) {
        t.wire[t.at].bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        size_t known = t.wires;
        if (t.wire[t.at].bytes[0] == DC_MSG_FRAME)
            hand(t.at);
        t.wires = known;
        t.wire[t.at] = good;
        CU_ASSERT_EQUAL(t.gots[1], 1);
    }
    for (size_t size = 0; size < good.size; size++) {
        t.wire[t.at].size = size;
        frame_in(&t.wire[t.at], t.at);
        dc_effects_clear(&t.out);
        CU_ASSERT_EQUAL(t.gots[1], 1);
    }
    t.wire[t.at] = good;
    hand(t.at);
    CU_ASSERT_TRUE(heard(1, "two"));
    end();
}

/* Random bytes, and every kind with every length: nothing happens, and nothing is broken. */
static void test_garbage(void)
{
    begin(false);
    say(0, 1, "one");
    deliver();
    struct dc_stream s = dc_stream(4, 0, dc_name("garbage"));
    uint8_t bytes[600];
    for (int i = 0; i < 3000; i++) {
        size_t size = (size_t)dc_next_below(&s, sizeof bytes);
        for (size_t k = 0; k < size; k++)
            bytes[k] = (uint8_t)dc_next_below(&s, 256);
        bytes[0] = DC_MSG_HANDSHAKE;
        bytes[1] = (uint8_t)(i % (DC_HELLO_COUNT + 1));
        dc_channels_hello(t.node[1], (uint32_t)(i % 2 * 2), bytes, size, t.now_ns, &t.out);
        t.out.count = 0;
    }
    t.alarms = 0;
    t.at = t.wires;
    dc_effects_clear(&t.out);
    pass(20LL * SECOND, true);
    say(0, 1, "two");
    deliver();
    CU_ASSERT_TRUE(heard(1, "two"));
    end();
}
/* --- who is refused --------------------------------------------------------------------------- */

/* Node 0 opens to node 1, which shows a certificate that does not do; then the other way round. */
static void refused(enum dc_channel_outcome outcome, void (*spoil)(uint32_t node))
{
    for (uint32_t bad = 0; bad < 2; bad++) {
        begin(false);
        spoil(bad);
        node_new(bad);
        say(0, 1, "one");
        deliver();
        pass(20LL * SECOND, true);
        CU_ASSERT_EQUAL(t.gots[1], 0);
        CU_ASSERT_TRUE(t.notes[1 - bad][outcome] > 0);
        for (int o = DC_CHANNEL_BAD; o < DC_CHANNEL_TIMEOUT; o++)
            CU_ASSERT_EQUAL(t.notes[1 - bad][o] > 0, o == (int)outcome);
        CU_ASSERT_EQUAL(dc_channels_count(t.node[1 - bad]).open, 0);
        CU_ASSERT_EQUAL(t.drops[0], bad == 1);
        end();
    }
}

static void spoil_foreign(uint32_t n)
{
    struct dc_keypair other = keypair(2000);
    certify(&t.config[n], &other, n, 10, t.config[n].exchange.public, 1000);
}
static void spoil_other(uint32_t n)
{
    certify(&t.config[n], &t.registrar, 2, 10, t.config[n].exchange.public, 1000);
}
static void spoil_key(uint32_t n)
{
    struct dc_exchange e = exchange(n, 5);
    t.config[n].exchange = e; /* it has the certificate, not the key */
}
static void spoil_expired(uint32_t n)
{
    certify(&t.config[n], &t.registrar, n, 10, t.config[n].exchange.public, 50);
}
static void spoil_revoked(uint32_t n)
{
    t.standing[n].revoked = true;
}
static void spoil_old(uint32_t n)
{
    t.standing[n].serial = 11;
}

static void test_refused(void)
{
    refused(DC_CHANNEL_FOREIGN, spoil_foreign);
    refused(DC_CHANNEL_OTHER, spoil_other);
    refused(DC_CHANNEL_KEY, spoil_key);
    refused(DC_CHANNEL_EXPIRED, spoil_expired);
    refused(DC_CHANNEL_REVOKED, spoil_revoked);
    refused(DC_CHANNEL_OLD, spoil_old);
}

/* --- registrars of the chain ------------------------------------------------------------------ */

static struct dc_registrars registrars;
static struct dc_keypair other_desk;

/* Node n's certificate is by another registrar, whom the root of everybody's genesis certifies; with
 * its certificate before it, or alone. */
static void by_other(uint32_t n, bool alone)
{
    struct dc_keypair root_key = keypair(4000);
    struct dc_channels_config *c = &t.config[n];
    struct dc_root root;
    struct dc_cert cert;
    uint8_t signature[64], own[DC_CERT_BYTES];
    other_desk = keypair(4001);
    dc_root_create(&crypto, CHAIN, 4000, &root_key, 0, 1000, &root);
    struct dc_registrar_wish w = {
        .subject = UINT64_MAX, .end_height = 1000, .roles = DC_ROLE_REGISTRAR};
    memcpy(w.signing, other_desk.public, 32);
    memcpy(w.vrf, other_desk.public, 32);
    dc_registrar_sign_wish(&crypto, CHAIN, DC_CERT_REGISTRAR, &w, &other_desk, signature);
    CU_ASSERT_EQUAL(dc_root_certify(&root, &w, signature, &cert), DC_REGISTRAR_OK);
    certify(c, &other_desk, n, 10, c->exchange.public, 1000);
    if (!alone) {
        memcpy(own, c->certificate, sizeof own);
        dc_cert_encode(&cert, c->certificate);
        memcpy(c->certificate + DC_CERT_BYTES, own, sizeof own);
        c->certificate_size = DC_CERT_CHAIN_BYTES;
    }
    memset(&registrars, 0, sizeof registrars);
    for (uint32_t i = 0; i < NODES; i++) {
        memcpy(t.config[i].trust.root_key, root_key.public, 32);
        t.standing[i].registrars = &registrars;
        node_new(i);
    }
    dc_cert_encode(&cert, own);
    if (alone)
        CU_ASSERT_TRUE(dc_registrars_add(&crypto, &t.config[0].trust, own, 50, &registrars));
}
static void revoke_registrar(uint64_t serial)
{
    CU_ASSERT_TRUE(dc_registrars_revoke(&t.config[0].trust, serial, 50, &registrars));
}
static void spoil_alone(uint32_t n)
{
    by_other(n, true);
    revoke_registrar(2);
}
static void spoil_chain(uint32_t n)
{
    by_other(n, false);
    revoke_registrar(2);
}
static void spoil_unlisted(uint32_t n)
{
    by_other(n, true);
    registrars.count = 0;
}
static void spoil_genesis(uint32_t n)
{
    by_other(1 - n, true); /* the other's holds on */
    revoke_registrar(DC_REGISTRAR_GENESIS);
}

/* Two registrars side by side; then the second is revoked: what is open goes on, and no handshake is
 * believed any more. */
static void test_registrars(void)
{
    for (int alone = 0; alone < 2; alone++) {
        begin(false);
        by_other(1, alone);
        say(0, 1, "one");
        deliver();
        CU_ASSERT_TRUE(heard(1, "one"));
        revoke_registrar(2);
        CU_ASSERT_EQUAL(dc_channels_review(t.node[0]), 0);
        say(1, 0, "two");
        deliver();
        CU_ASSERT_TRUE(heard(0, "two"));
        t.config[1].incarnation++;
        node_new(1);
        say(1, 0, "three");
        deliver();
        pass(20LL * SECOND, true);
        CU_ASSERT_FALSE(heard(0, "three"));
        CU_ASSERT_TRUE(t.notes[0][DC_CHANNEL_REVOKED] > 0);
        end();
    }
    refused(DC_CHANNEL_REVOKED, spoil_alone);
    refused(DC_CHANNEL_REVOKED, spoil_chain);
    refused(DC_CHANNEL_REVOKED, spoil_genesis);
    refused(DC_CHANNEL_FOREIGN, spoil_unlisted);
}

static void test_review(void)
{
    begin(false);
    say(0, 1, "one");
    deliver();
    CU_ASSERT_EQUAL(dc_channels_review(t.node[0]), 0);
    t.standing[1].revoked = true;
    CU_ASSERT_EQUAL(dc_channels_review(t.node[0]), 1);
    say(1, 0, "two");
    say(0, 1, "three");
    deliver();
    pass(20LL * SECOND, true);
    CU_ASSERT_FALSE(heard(0, "two"));
    CU_ASSERT_FALSE(heard(1, "three"));
    CU_ASSERT_TRUE(t.notes[0][DC_CHANNEL_REVOKED] > 0);
    end();
}

/* Node 2 stands between 0 and 1 with its own keys and certificate, and relays everything: to each it
 * says that it is the other. */
static void test_man_in_the_middle(void)
{
    static const enum dc_channel_outcome wanted[3] = {DC_CHANNEL_OTHER, DC_CHANNEL_FOREIGN,
                                                      DC_CHANNEL_KEY};
    for (int how = 0; how < 3; how++) {
        begin(false);
        struct dc_channels_config face[2]; /* face[n]: what n sees: the other's name */
        struct dc_channels *man[2];
        struct dc_keypair own = keypair(3000);
        for (uint32_t n = 0; n < 2; n++) {
            face[n] = t.config[2];
            face[n].id = 1 - n;
            if (how == 1) /* of a registrar of its own */
                certify(&face[n], &own, 1 - n, 10, face[n].exchange.public, 1000);
            else if (how == 2) /* the true one, stolen */
                memcpy(face[n].certificate, t.config[1 - n].certificate, DC_CERT_BYTES);
            man[n] = dc_channels_create(&face[n]);
        }
        say(0, 1, "one");
        /* Facing 1 it opens a channel of its own at once. */
        (void)dc_channels_send(man[1], 1, 0, t.now_ns, &t.out);
        for (uint32_t i = 0; i < t.out.count; i++)
            if (t.out.list[i].kind == DC_EFFECT_SEND)
                wire_put(0, 1, t.out.list[i].bytes, t.out.list[i].size);
        dc_effects_clear(&t.out);
        for (; t.at < t.wires && t.at < 40; t.at++) {
            struct wire w = t.wire[t.at];
            if (w.gone || t.at == 1) { /* the attacker's, to an honest node */
                hand(t.at);
                continue;
            }
            struct dc_channels *m = man[w.from];
            dc_channels_hello(m, w.from, w.bytes, w.size, t.now_ns, &t.out);
            for (uint32_t i = 0; i < t.out.count; i++)
                if (t.out.list[i].kind == DC_EFFECT_SEND) {
                    wire_put(1 - w.from, w.from, t.out.list[i].bytes, t.out.list[i].size);
                    t.wire[t.wires - 1].gone = true; /* marks the attacker's */
                }
            dc_effects_clear(&t.out);
        }
        CU_ASSERT_TRUE(t.notes[0][wanted[how]] > 0);
        CU_ASSERT_TRUE(t.notes[1][wanted[how]] > 0);
        CU_ASSERT_EQUAL(dc_channels_count(t.node[0]).open, 0);
        CU_ASSERT_EQUAL(dc_channels_count(t.node[1]).open, 0);
        CU_ASSERT_EQUAL(t.gots[1], 0);
        for (int n = 0; n < 2; n++)
            dc_channels_destroy(man[n], never, NULL);
        end();
    }
}

/* RESET and RETRY that an attacker makes up: at most one handshake each timeout, of the real peer, and
 * what was sent before and after arrives. */
static void test_reset(void)
{
    begin(false);
    say(0, 1, "one");
    deliver();
    uint8_t reset[10] = {DC_MSG_HANDSHAKE, DC_HELLO_RESET};
    memcpy(reset + 2, t.wire[3].bytes + (t.wire[3].bytes[0] == DC_MSG_FRAME ? 1 : 2), 8);
    for (int i = 0; i < 20; i++) {
        dc_channels_hello(t.node[0], 1, reset, sizeof reset, t.now_ns, &t.out);
        effects(0, 1);
    }
    CU_ASSERT_EQUAL(dc_channels_count(t.node[0]).resets, 1);
    say(0, 1, "two");   /* waits */
    say(1, 0, "three"); /* in the session before */
    deliver();
    CU_ASSERT_TRUE(heard(1, "two"));
    CU_ASSERT_TRUE(heard(0, "three"));
    /* Again, and everything that the handshake says is lost: back to the session before. */
    pass(20LL * SECOND, true);
    size_t since = t.wires;
    say(0, 1, "four");
    memcpy(reset + 2, t.wire[since].bytes + 1, 8);
    dc_channels_hello(t.node[0], 1, reset, sizeof reset, t.now_ns, &t.out);
    effects(0, 1);
    CU_ASSERT_EQUAL(dc_channels_count(t.node[0]).resets, 2);
    say(0, 1, "five");
    hand(since);
    t.at = t.wires;
    pass(2LL * SECOND, false);
    t.at = t.wires;
    pass(2LL * SECOND, true);
    deliver();
    CU_ASSERT_EQUAL(t.notes[0][DC_CHANNEL_TIMEOUT], 1);
    CU_ASSERT_TRUE(heard(1, "four"));
    CU_ASSERT_TRUE(heard(1, "five"));
    CU_ASSERT_EQUAL(t.drops[0], 0);
    end();
}
int main(void)
{
    static const struct test_case cases[] = {
        {"bits of XX", test_bits},
        {"bits of IK", test_bits_ik},
        {"bits of a frame", test_frame_bits},
        {"garbage", test_garbage},
        {"refused", test_refused},
        {"registrars of the chain", test_registrars},
        {"review", test_review},
        {"man in the middle", test_man_in_the_middle},
        {"reset", test_reset},
    };
    dc_crypto_init();
    return TEST_MAIN("channel attacks", cases);
}
