/* Robust z: a row against its group in the same table, by median and median absolute deviation,
 * which up to half of the group cannot move at will (Iglewicz and Hoaglin 1993).
 *
 *   score = max over columns of |x - median| / (1.4826 MAD + floor)
 *
 * 1.4826 makes the MAD of a normal population its standard deviation.  Of an even number of values
 * the median is the lower middle one.  A column counts where at least population_min rows of the
 * group have a value.  No model: a table is its own reference. */
#include "models/anomaly/population.h"
#include "models/base/mem.h"

static const double mad_normal = 1.4826;

static double mad_distance(double a, double b)
{
    return a > b ? a - b : b - a;
}

/* One column of one group: row[n] are its rows. */
static void mad_column(const struct dc_detector_config *config, const struct dc_table *table,
                       uint32_t column, const uint32_t *row, uint32_t n, double *value,
                       double *score)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < n; i++) {
        double x = dc_table_row(table, row[i])[column];
        if (!dc_missing(x))
            value[count++] = x;
    }
    if (count == 0 || count < config->population_min)
        return;
    double median = dc_detector_median(value, count);
    for (uint32_t i = 0; i < count; i++)
        value[i] = mad_distance(value[i], median);
    double scale = mad_normal * dc_detector_median(value, count) + dc_table_floor(table, column);
    for (uint32_t i = 0; i < n; i++) {
        double x = dc_table_row(table, row[i])[column];
        if (dc_missing(x))
            continue;
        double z = dc_detector_ratio(mad_distance(x, median), scale);
        if (!(score[row[i]] >= z))
            score[row[i]] = z;
    }
}

static void mad_score(const struct dc_detector_config *config, const void *model,
                      const struct dc_table *table, double *score)
{
    struct dc_groups groups;
    dc_groups_make(&groups, table);
    double *value = dc_mem_need(table->rows + 1u, sizeof *value, "a population's features");
    for (uint32_t i = 0; i < table->rows; i++)
        score[i] = DC_MISSING;
    for (uint32_t g = 0; g < DC_GROUPS; g++)
        for (uint32_t c = 0; dc_groups_size(&groups, g) > 0 && c < table->columns; c++)
            mad_column(config, table, c, groups.row + groups.first[g], dc_groups_size(&groups, g),
                       value, score);
    dc_mem_free(value);
    dc_groups_free(&groups);
}

const struct dc_detector_class dc_detector_mad = {
    .name = "mad",
    .meaning = "distance from the median of the row's population, in median absolute deviations",
    .bit = DC_DETECTOR_MAD,
    .score = mad_score,
};
