/* Whose response times run together: identities on one machine (models/README.md 8.1).
 *
 *   time for a sample (dc_features.work) less its population's median in this epoch
 *                         --> one column of each node's history
 *   distance of two nodes = mean |difference|, a quarter of a doubling at most, over the epochs in
 *                           which both were measured
 *   DC_FEATURE_TWIN       = log2 of the distance to the nearest node of the same population
 *
 * Identities on one machine share its load from epoch to epoch, so their times run together; those of
 * two machines do not, however alike the machines are.  How near strangers come is found by
 * comparing the same histories once more, each with its epochs in an order of its own: that leaves
 * every node its speed, its scatter and the epochs in which it was asked, and nothing in common with
 * its twins.  Medians are taken off first, or a swing of the whole network would look like a
 * relation.
 *
 * An object is one epoch's knowledge: immutable, of one owner, made from the one before, so that
 * forks keep their own.  Integers only. */
#ifndef MODELS_ANOMALY_TWINS_H
#define MODELS_ANOMALY_TWINS_H

#include "models/anomaly/anomaly.h"

#define DC_TWINS_EPOCHS 32u /* of history */
#define DC_TWINS_COMMON 6u  /* epochs in which both were measured, at least */

struct dc_twins; /* opaque: twins.c */

struct dc_twins *dc_twins_create(void); /* empty */
/* The history with epoch `epoch` (above all before) added; `before` stays as it was.
 * Writes value[DC_FEATURE_TWIN] of features[nodes]: for a node that is present and whose work was
 * measured in this epoch, log2 of its distance to the nearest such node of its population, in 2^-16
 * units around DC_FEATURE_MIDDLE (0: a doubling apart on the mean); else, and where no other node
 * shares DC_TWINS_COMMON epochs with it, DC_FEATURE_NONE.  null[DC_RELATION_TWIN] likewise, of
 * histories permuted under `seed`.
 * Cost: quadratic in the nodes measured in this epoch: about 25 ms for 2,000, 0.6 s for 10,000. */
struct dc_twins *dc_twins_next(const struct dc_twins *before, struct dc_features *features,
                               uint32_t nodes, uint64_t epoch, uint64_t seed);
struct dc_hash dc_twins_digest(const struct dc_twins *t); /* of the contents */
size_t dc_twins_bytes(const struct dc_twins *t);
void dc_twins_drop(struct dc_twins *t); /* NULL is fine */

#endif
