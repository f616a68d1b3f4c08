/* A cell of state for every row and column: what the detectors of rows keep.  A column has no cells
 * until a row has a value in it, so features that nobody has cost nothing.
 *
 *   column[0] --> [cell of row 0][cell of row 1] ...
 *   column[1] --> NULL
 *
 * Cells are words of 32 bits without padding; zeros are a newcomer's. */
#ifndef MODELS_ANOMALY_GRID_H
#define MODELS_ANOMALY_GRID_H

#include "models/anomaly/detector.h"

struct dc_grid {
    uint32_t rows, columns, cell_words;
    void *column[];
};

/* A grid for the table with what `before` holds (NULL: nothing), and cells in every column where
 * the table has a value.  With `keep` before stays as it was, else it is used up. */
struct dc_grid *dc_grid_next(struct dc_grid *before, bool keep, const struct dc_table *table,
                             uint32_t cell_words);
/* The cell, or NULL where there is none.  grid NULL is fine. */
static inline void *dc_grid_cell(const struct dc_grid *grid, uint32_t row, uint32_t column)
{
    if (grid == NULL || row >= grid->rows || grid->column[column] == NULL)
        return NULL;
    return (uint32_t *)grid->column[column] + (size_t)row * grid->cell_words;
}
void dc_grid_digest(struct dc_hasher *h, const void *grid); /* NULL is fine, here and below */
size_t dc_grid_bytes(const void *grid);
void dc_grid_free(void *grid);

#endif
