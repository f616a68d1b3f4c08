/* Tables from outside: CSV (RFC 4180) with a line of names and columns of numbers.
 *
 *   ds_csv_open: names, and what the first cells look like --> the caller says which are wanted
 *   ds_csv_read: the numbers of those
 *
 * A file is refused at its first fault, as `FILE:LINE:COL: what, and what to do`. */
#ifndef SIM_CSV_H
#define SIM_CSV_H

#include "models/base/text.h"

struct ds_csv_column {
    char *name;
    bool text;   /* its first cell that is not empty is no number */
    bool wanted; /* false after ds_csv_open; the caller's */
};

/* Zero-initialise; free in every case. */
struct ds_csv {
    const char *path; /* borrowed */
    struct ds_csv_column *column;
    uint32_t columns, wanted;
    uint32_t rows;
    double *value; /* [rows][wanted]; an empty cell is not a number (DC_MISSING) */

    struct dc_text text;    /* the file */
    size_t body, body_line; /* where the rows begin */
};

enum { DS_CSV_COLUMNS_MAX = 4096 };
#define DS_CSV_SIZE_MAX ((size_t)2 << 30)
#define DS_CSV_VALUE_MAX 1e100 /* squares of differences, and their sums, stay finite */

enum dc_status ds_csv_open(struct ds_csv *csv, const char *path,
                           struct dc_error *error) DC_MUST_USE;
enum dc_status ds_csv_read(struct ds_csv *csv, struct dc_error *error) DC_MUST_USE;
void ds_csv_free(struct ds_csv *csv);

#endif
