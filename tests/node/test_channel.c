/* Channels over a wire that loses, reorders and repeats; crashes, limits, keys that change. */
#include "tests/node/wire.h"

static void test_open(void)
{
    for (int charged = 0; charged < 2; charged++) {
        begin(charged);
        say(0, 1, "one");
        say(0, 1, "two");
        CU_ASSERT_EQUAL(t.gots[1], 0);
        deliver();
        CU_ASSERT_EQUAL(t.gots[1], 2);
        CU_ASSERT_TRUE(heard(1, "one"));
        CU_ASSERT_TRUE(heard(1, "two"));
        CU_ASSERT_EQUAL(t.latency_ns, 20000000); /* there and back */
        say(1, 0, "answer");
        say(0, 1, "three");
        deliver();
        CU_ASSERT_TRUE(heard(0, "answer"));
        CU_ASSERT_TRUE(heard(1, "three"));
        CU_ASSERT_EQUAL(t.wire[0].bytes[1], DC_HELLO_XX1);
        CU_ASSERT_EQUAL(t.wire[1].bytes[1], DC_HELLO_XX2);
        CU_ASSERT_EQUAL(t.wire[2].bytes[1], DC_HELLO_XX3);
        CU_ASSERT_EQUAL(t.wire[0].size, 2 + 32);
        CU_ASSERT_EQUAL(t.wire[1].size, 2 + 32 + 48 + 246);
        CU_ASSERT_EQUAL(t.wire[2].size, 2 + 48 + 246);
        struct dc_channels_count a = dc_channels_count(t.node[0]), b = dc_channels_count(t.node[1]);
        CU_ASSERT_EQUAL(a.begun + b.begun, 1);
        CU_ASSERT_EQUAL(a.opened, 1);
        CU_ASSERT_EQUAL(b.answered, 1);
        CU_ASSERT_EQUAL(a.open + b.open, 2);
        CU_ASSERT_EQUAL(a.opening + b.opening, 0);
        pass(100LL * SECOND, true);
        CU_ASSERT_EQUAL(t.notes[0][DC_CHANNEL_TIMEOUT] + t.notes[1][DC_CHANNEL_TIMEOUT], 0);
        end();
    }
}

/* The plain words are on no wire when frames are real. */
static void test_sealed(void)
{
    begin(false);
    say(0, 1, "secret");
    deliver();
    CU_ASSERT_TRUE(heard(1, "secret"));
    for (size_t i = 0; i < t.wires; i++)
        for (size_t k = 0; k + 6 <= t.wire[i].size; k++)
            CU_ASSERT_NOT_EQUAL(memcmp(t.wire[i].bytes + k, "secret", 6), 0);
    end();
}

/* After a crash the peer says so; the next handshake is IK, with the key that is known. */
static void test_crash(void)
{
    begin(false);
    say(0, 1, "one");
    deliver();
    t.config[1].incarnation++;
    node_new(1);
    size_t since = t.wires;
    say(0, 1, "lost"); /* on its way in a session that nobody knows any more */
    deliver();
    CU_ASSERT_EQUAL(t.wire[since + 1].bytes[1], DC_HELLO_RESET);
    CU_ASSERT_EQUAL(t.wire[since + 2].bytes[1], DC_HELLO_IK1);
    CU_ASSERT_EQUAL(t.wire[since + 3].bytes[1], DC_HELLO_IK2);
    CU_ASSERT_EQUAL(t.wire[since + 4].bytes[1], DC_HELLO_CONFIRM);
    say(0, 1, "two");
    say(1, 0, "three");
    deliver();
    CU_ASSERT_TRUE(heard(1, "two"));
    CU_ASSERT_TRUE(heard(0, "three"));
    CU_ASSERT_FALSE(heard(1, "lost"));
    CU_ASSERT_EQUAL(t.notes[1][DC_CHANNEL_UNKNOWN], 1);
    /* It comes back with another exchange key: IK is answered RETRY, XX and the certificate decide. */
    t.config[1].exchange = exchange(1, 1);
    t.config[1].incarnation++;
    certify(&t.config[1], &t.registrar, 1, 11, t.config[1].exchange.public, 1000);
    t.standing[1].serial = 11;
    node_new(1);
    pass(2LL * SECOND, true);
    since = t.wires;
    say(0, 1, "lost");
    deliver();
    CU_ASSERT_EQUAL(t.wire[since + 3].bytes[1], DC_HELLO_RETRY);
    CU_ASSERT_EQUAL(t.wire[since + 4].bytes[1], DC_HELLO_XX1);
    say(0, 1, "four");
    deliver();
    CU_ASSERT_TRUE(heard(1, "four"));
    end();
}

static void test_both_begin(void)
{
    for (int first = 0; first < 2; first++) {
        begin(false);
        say((uint32_t)first, (uint32_t)(1 - first), "one");
        say((uint32_t)(1 - first), (uint32_t)first, "two");
        deliver();
        pass(10LL * SECOND, true);
        CU_ASSERT_TRUE(heard((uint32_t)(1 - first), "one"));
        CU_ASSERT_TRUE(heard((uint32_t)first, "two"));
        CU_ASSERT_EQUAL(dc_channels_count(t.node[0]).opened, 1); /* the lower id's */
        CU_ASSERT_EQUAL(dc_channels_count(t.node[1]).opened, 0);
        end();
    }
}

/* Every one of the first messages lost, in turn and in pairs: time repairs it. */
static void test_lost(void)
{
    for (size_t a = 0; a < 6; a++)
        for (size_t b = a; b < 6; b++) {
            begin(false);
            say(0, 1, "one");
            say(1, 0, "two");
            for (; t.at < t.wires; t.at++)
                if (t.at != a && t.at != b) {
                    t.now_ns += 10000000;
                    hand(t.at);
                }
            pass(12LL * SECOND, true);
            say(0, 1, "three");
            say(1, 0, "four");
            deliver();
            pass(12LL * SECOND, true);
            CU_ASSERT_TRUE(heard(1, "three"));
            CU_ASSERT_TRUE(heard(0, "four"));
            CU_ASSERT_EQUAL(dc_channels_count(t.node[0]).waiting, 0);
            CU_ASSERT_EQUAL(dc_channels_count(t.node[1]).waiting, 0);
            end();
        }
}

/* Frames overtake the handshake's last message, and one another; none is taken twice. */
static void test_order(void)
{
    static const char *const words[] = {"a", "b", "c", "d", "e"};
    begin(false);
    for (int i = 0; i < 5; i++)
        say(0, 1, words[i]);
    hand(0); /* XX1 */
    hand(1); /* XX2: XX3 and five frames leave */
    CU_ASSERT_EQUAL_FATAL(t.wires, 8);
    for (size_t i = 8; i-- > 3;)
        hand(i);
    CU_ASSERT_EQUAL(t.gots[1], 0);
    hand(2); /* XX3 */
    CU_ASSERT_EQUAL(t.gots[1], 5);
    for (size_t i = 3; i < 8; i++)
        hand(i); /* replays */
    CU_ASSERT_EQUAL(t.gots[1], 5);
    CU_ASSERT_EQUAL(t.notes[1][DC_CHANNEL_REPLAYED], 5);
    for (int i = 0; i < 5; i++)
        CU_ASSERT_TRUE(heard(1, words[i]));
    hand(0); /* the whole handshake again: it ends nowhere, and disturbs nobody */
    hand(2);
    t.at = t.wires;
    say(0, 1, "f");
    say(1, 0, "g");
    deliver();
    CU_ASSERT_TRUE(heard(1, "f"));
    CU_ASSERT_TRUE(heard(0, "g"));
    end();
}
static void test_rekey(void)
{
    begin(false);
    for (uint32_t n = 0; n < 2; n++) {
        t.config[n].rekey = 4;
        node_new(n);
    }
    say(0, 1, "one");
    deliver();
    for (int round = 0; round < 20; round++) {
        size_t since = t.wires;
        for (int i = 0; i < 6; i++)
            say(0, 1, "word");
        size_t before = t.gots[1];
        for (size_t i = t.wires; i-- > since;) /* backwards: the generation before is still there */
            hand(i);
        t.at = t.wires;
        CU_ASSERT_TRUE(t.gots[1] - before >= 4);
        t.gots[1] = 0;
        (void)before;
    }
    CU_ASSERT_TRUE(dc_channels_count(t.node[0]).rekeyed >= 29);
    for (int i = 0; i < 4 * DC_CHANNEL_AHEAD_MAX; i++) { /* lost: as far ahead as is looked */
        say(0, 1, "lost");
        t.at = t.wires = 0;
    }
    say(0, 1, "two");
    deliver();
    CU_ASSERT_TRUE(heard(1, "two"));
    end();
}

static void test_window(void)
{
    begin(false);
    say(0, 1, "one");
    deliver();
    say(0, 1, "late");
    say(0, 1, "later");
    struct wire late = t.wire[t.at], later = t.wire[t.at + 1];
    for (int i = 0; i < DC_CHANNEL_WINDOW - 1; i++) {
        t.at = t.wires = 0;
        t.gots[1] = 0;
        say(0, 1, "word");
        if (i == DC_CHANNEL_WINDOW - 2)
            deliver();
    }
    t.wires = 2;
    t.wire[0] = late;
    t.wire[1] = later;
    hand(0);
    hand(1);
    hand(1);
    CU_ASSERT_FALSE(heard(1, "late"));
    CU_ASSERT_TRUE(heard(1, "later"));
    CU_ASSERT_EQUAL(t.notes[1][DC_CHANNEL_REPLAYED], 2);
    end();
}

static void test_full(void)
{
    begin(false);
    for (int i = 0; i < 12; i++)
        say(0, 1, "word"); /* queue_max is 8 */
    CU_ASSERT_EQUAL(t.drops[0], 4);
    CU_ASSERT_EQUAL(t.notes[0][DC_CHANNEL_FULL], 4);
    deliver();
    CU_ASSERT_EQUAL(t.gots[1], 8);
    end();
    begin(false);
    t.config[0].peers_max = 1;
    node_new(0);
    say(0, 1, "one");
    say(0, 2, "no"); /* the only place is at work */
    CU_ASSERT_EQUAL(t.drops[0], 1);
    deliver();
    say(0, 2, "two"); /* and idle now: it goes */
    deliver();
    pass(20LL * SECOND, true);
    say(1, 0, "lost"); /* 0 has forgotten 1 */
    deliver();
    pass(20LL * SECOND, true);
    say(1, 0, "three");
    deliver();
    CU_ASSERT_TRUE(heard(2, "two"));
    CU_ASSERT_TRUE(heard(0, "three"));
    CU_ASSERT_EQUAL(dc_channels_count(t.node[0]).peers, 1);
    CU_ASSERT_EQUAL(dc_channels_count(t.node[0]).evicted, 2);
    end();
}

static void test_nobody(void)
{
    begin(false);
    say(0, 1, "one");
    t.at = t.wires;
    pass(SECOND / 2, false);
    CU_ASSERT_EQUAL(t.wires, 1);
    pass(10LL * SECOND, false);
    CU_ASSERT_EQUAL(t.wires, 3); /* three tries */
    CU_ASSERT_EQUAL(memcmp(t.wire[0].bytes, t.wire[2].bytes, t.wire[0].size), 0);
    CU_ASSERT_EQUAL(t.notes[0][DC_CHANNEL_TIMEOUT], 1);
    CU_ASSERT_EQUAL(t.drops[0], 1);
    say(0, 1, "two"); /* another try, with another ephemeral key */
    CU_ASSERT_NOT_EQUAL(memcmp(t.wire[0].bytes, t.wire[3].bytes, t.wire[0].size), 0);
    deliver();
    CU_ASSERT_TRUE(heard(1, "two"));
    end();
}
int main(void)
{
    static const struct test_case cases[] = {
        {"open", test_open},   {"sealed", test_sealed},
        {"crash", test_crash}, {"both begin", test_both_begin},
        {"lost", test_lost},   {"order", test_order},
        {"rekey", test_rekey}, {"window", test_window},
        {"full", test_full},   {"nobody", test_nobody},
    };
    dc_crypto_init();
    return TEST_MAIN("channel", cases);
}
