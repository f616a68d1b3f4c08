/* The tables of generators: filled once under pthread_once, read from then on.
 *
 * Parties 0 to 15 have DC_GENERATORS_EACH points in each row; party 0's rows are made again in their
 * long form, apart from the short ones, so that who never proves a circuit does not pay for them. */
#include "models/crypto/generators.h"

#include <decaf/shake.h>
#include <pthread.h>

enum { ROW_G, ROW_H, ROWS };

static struct dc_point party_rows[DC_GENERATORS_PARTIES][ROWS][DC_GENERATORS_EACH];
static struct dc_point long_rows[ROWS][DC_GENERATORS_LONG];
static pthread_once_t party_once = PTHREAD_ONCE_INIT;
static pthread_once_t long_once = PTHREAD_ONCE_INIT;

void dc_generators_chain(const void *label, size_t size, struct dc_point *out, size_t count)
{
    static const char front[] = "GeneratorsChain";
    decaf_shake256_ctx_t shake;
    uint8_t uniform[64];
    decaf_shake256_init(shake);
    DC_CHECK(decaf_shake256_update(shake, (const uint8_t *)front, sizeof front - 1) ==
             DECAF_SUCCESS);
    DC_CHECK(decaf_shake256_update(shake, label, size) == DECAF_SUCCESS);
    for (size_t i = 0; i < count; i++) {
        decaf_shake256_output(shake, uniform, sizeof uniform);
        out[i] = dc_point_from_hash(uniform);
    }
    decaf_shake256_destroy(shake);
}

static void generators_row(uint32_t party, int row, struct dc_point *out, size_t count)
{
    uint8_t label[5] = {row == ROW_G ? 'G' : 'H'};
    dc_put32(label + 1, party);
    dc_generators_chain(label, sizeof label, out, count);
}

static void generators_make(void)
{
    for (uint32_t p = 0; p < DC_GENERATORS_PARTIES; p++)
        for (int row = 0; row < ROWS; row++)
            generators_row(p, row, party_rows[p][row], DC_GENERATORS_EACH);
}

static void generators_make_long(void)
{
    for (int row = 0; row < ROWS; row++)
        generators_row(0, row, long_rows[row], DC_GENERATORS_LONG);
}

static const struct dc_point *generators_at(uint32_t party, int row, uint32_t i)
{
    DC_CHECK(party < DC_GENERATORS_PARTIES && i < DC_GENERATORS_EACH);
    DC_CHECK(pthread_once(&party_once, generators_make) == 0);
    return &party_rows[party][row][i];
}

const struct dc_point *dc_generators_g(uint32_t party, uint32_t i)
{
    return generators_at(party, ROW_G, i);
}

const struct dc_point *dc_generators_h(uint32_t party, uint32_t i)
{
    return generators_at(party, ROW_H, i);
}

const struct dc_point *dc_generators_long_g(void)
{
    DC_CHECK(pthread_once(&long_once, generators_make_long) == 0);
    return long_rows[ROW_G];
}

const struct dc_point *dc_generators_long_h(void)
{
    DC_CHECK(pthread_once(&long_once, generators_make_long) == 0);
    return long_rows[ROW_H];
}
