/* Columns of cells: copied, because each table changes nearly all of them. */
#include "models/anomaly/grid.h"

#include "models/base/mem.h"

static void *grid_column(uint32_t rows, uint32_t cell_words, const void *old, uint32_t old_rows)
{
    size_t cell = cell_words * sizeof(uint32_t);
    void *column = dc_mem_need(rows, cell, "the states of an anomaly detector");
    if (old != NULL && old_rows > 0)
        memcpy(column, old, old_rows * cell);
    return column;
}

static bool grid_wanted(const struct dc_table *t, uint32_t column)
{
    for (uint32_t row = 0; row < t->rows; row++)
        if (dc_table_present(t, row) && !dc_missing(dc_table_row(t, row)[column]))
            return true;
    return false;
}

struct dc_grid *dc_grid_next(struct dc_grid *before, bool keep, const struct dc_table *table,
                             uint32_t cell_words)
{
    struct dc_grid *g = before;
    uint32_t old_rows = before != NULL ? before->rows : 0;
    DC_CHECK(table->rows >= old_rows);
    DC_CHECK(before == NULL || before->columns == table->columns);
    if (g == NULL || keep) {
        g = dc_mem_need(1, sizeof *g + table->columns * sizeof g->column[0], "an anomaly detector");
        g->columns = table->columns;
        g->cell_words = cell_words;
    }
    g->rows = table->rows;
    for (uint32_t c = 0; c < table->columns; c++) {
        void *old = before != NULL ? before->column[c] : NULL;
        bool same = old != NULL && !keep && table->rows == old_rows;
        if (same || (old == NULL && !grid_wanted(table, c)))
            continue;
        g->column[c] = grid_column(table->rows, cell_words, old, old_rows);
        if (!keep)
            dc_mem_free(old);
    }
    return g;
}

void dc_grid_digest(struct dc_hasher *h, const void *grid)
{
    const struct dc_grid *g = grid;
    uint8_t text[1024];
    size_t used = 0;
    for (uint32_t c = 0; g != NULL && c < g->columns; c++) {
        const uint32_t *word = g->column[c];
        if (word == NULL)
            continue;
        dc_hasher_update64(h, c);
        for (size_t i = 0; i < (size_t)g->rows * g->cell_words; i++) {
            dc_put32(text + used, word[i]);
            used += 4;
            if (used == sizeof text) {
                dc_hasher_update(h, text, used);
                used = 0;
            }
        }
        dc_hasher_update(h, text, used);
        used = 0;
    }
}

size_t dc_grid_bytes(const void *grid)
{
    const struct dc_grid *g = grid;
    size_t bytes = g != NULL ? sizeof *g + g->columns * sizeof g->column[0] : 0;
    for (uint32_t c = 0; g != NULL && c < g->columns; c++)
        if (g->column[c] != NULL)
            bytes += (size_t)g->rows * g->cell_words * sizeof(uint32_t);
    return bytes;
}

void dc_grid_free(void *grid)
{
    struct dc_grid *g = grid;
    for (uint32_t c = 0; g != NULL && c < g->columns; c++)
        dc_mem_free(g->column[c]);
    dc_mem_free(g);
}
