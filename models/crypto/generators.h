/* The generators of Bulletproofs: points whose logarithms nobody knows, two rows G and H for each
 * "party" (value of an aggregated range proof), byte for byte those of dalek's `bulletproofs`:
 *
 *     SHAKE256("GeneratorsChain" || 'G' or 'H' || le32(party)), each 64 bytes of it to a point
 *
 * The tables are made at the first use, under pthread_once: process-wide, constant from then on, the
 * same whoever comes first.  About 20 ms for the parties, 80 ms for the long rows. */
#ifndef MODELS_CRYPTO_GENERATORS_H
#define MODELS_CRYPTO_GENERATORS_H

#include "models/crypto/group.h"

#define DC_GENERATORS_PARTIES 16u
#define DC_GENERATORS_EACH 64u   /* of each party */
#define DC_GENERATORS_LONG 4096u /* of party 0, for circuits and long sums */

/* G[i] of a party; the party's further ones follow it, up to DC_GENERATORS_EACH. */
const struct dc_point *dc_generators_g(uint32_t party, uint32_t i);
const struct dc_point *dc_generators_h(uint32_t party, uint32_t i);
/* The same of party 0, whose rows go on to DC_GENERATORS_LONG. */
const struct dc_point *dc_generators_long_g(void);
const struct dc_point *dc_generators_long_h(void);

/* The first count points of a chain with another label: SHAKE256("GeneratorsChain" || label). */
void dc_generators_chain(const void *label, size_t size, struct dc_point *out, size_t count);

#endif
