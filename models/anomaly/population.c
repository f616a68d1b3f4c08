/* Rows are dealt to groups by counting, so that they stay in order. */
#include "models/anomaly/population.h"

#include "models/base/mem.h"

void dc_groups_make(struct dc_groups *groups, const struct dc_table *table)
{
    uint32_t end[DC_GROUPS + 1] = {0};
    for (uint32_t i = 0; i < table->rows; i++)
        if (dc_table_present(table, i))
            end[dc_table_group(table, i) + 1u]++;
    for (uint32_t g = 0; g < DC_GROUPS; g++)
        end[g + 1] += end[g];
    memcpy(groups->first, end, sizeof end);
    groups->row = dc_mem_need(table->rows + 1u, sizeof *groups->row, "a population's rows");
    for (uint32_t i = 0; i < table->rows; i++)
        if (dc_table_present(table, i))
            groups->row[end[dc_table_group(table, i)]++] = i;
}

void dc_groups_free(struct dc_groups *groups)
{
    dc_mem_free(groups->row);
    groups->row = NULL;
}

struct dc_fill *dc_fill_make(const double *value, uint32_t columns, const uint32_t *row, uint32_t n)
{
    struct dc_fill *f = dc_mem_need(1, sizeof *f + columns * sizeof f->column[0], "medians");
    double *v = dc_mem_need(n + 1u, sizeof *v, "a population's features");
    for (uint32_t c = 0; c < columns; c++) {
        uint32_t count = 0;
        for (uint32_t i = 0; i < n; i++) {
            double x = value[(size_t)(row != NULL ? row[i] : i) * columns + c];
            if (!dc_missing(x))
                v[count++] = x;
        }
        if (count == 0)
            continue;
        f->column[f->live++] =
            (struct dc_fill_column){.median = dc_detector_median(v, count), .column = c};
    }
    dc_mem_free(v);
    return f;
}

struct dc_fill *dc_fill_copy(const struct dc_fill *fill)
{
    size_t bytes = dc_fill_bytes(fill);
    struct dc_fill *f = dc_mem_need(1, bytes, "medians");
    memcpy(f, fill, bytes);
    return f;
}

bool dc_fill_row(const struct dc_fill *fill, const double *x, double *out)
{
    bool any = false;
    for (uint32_t i = 0; i < fill->live; i++) {
        double v = x[fill->column[i].column];
        any = any || !dc_missing(v);
        out[i] = dc_missing(v) ? fill->column[i].median : v;
    }
    return any;
}

void dc_digest_double(struct dc_hasher *h, double x)
{
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    dc_hasher_update64(h, bits);
}

void dc_fill_digest(struct dc_hasher *h, const struct dc_fill *fill)
{
    for (uint32_t i = 0; i < fill->live; i++) {
        dc_hasher_update64(h, fill->column[i].column);
        dc_digest_double(h, fill->column[i].median);
    }
}
