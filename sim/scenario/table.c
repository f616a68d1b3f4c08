/* Walking the table.  Its rows stand in table_network.c, table_nodes.c, table_protocol.c,
 * table_money.c, table_upgrade.c, table_private.c, table_fault.c and table_run.c.  To add a parameter: a field in its struct, a row, and whoever
 * uses it. */
#include "sim/scenario/table.h"

#include <string.h>

static const struct {
    const struct ds_param *rows;
    const size_t *count;
} table_blocks[] = {
    {ds_rows_network, &ds_rows_network_count},   {ds_rows_nodes, &ds_rows_nodes_count},
    {ds_rows_protocol, &ds_rows_protocol_count}, {ds_rows_money, &ds_rows_money_count},
    {ds_rows_upgrade, &ds_rows_upgrade_count},   {ds_rows_private, &ds_rows_private_count},
    {ds_rows_fault, &ds_rows_fault_count},       {ds_rows_run, &ds_rows_run_count},
};
#define TABLE_BLOCKS (sizeof table_blocks / sizeof table_blocks[0])

size_t ds_params_count(void)
{
    size_t count = 0;
    for (size_t i = 0; i < TABLE_BLOCKS; i++)
        count += *table_blocks[i].count;
    return count;
}

const struct ds_param *ds_param_at(size_t n)
{
    for (size_t i = 0; i < TABLE_BLOCKS; i++) {
        if (n < *table_blocks[i].count)
            return &table_blocks[i].rows[n];
        n -= *table_blocks[i].count;
    }
    return NULL;
}

const struct ds_param *ds_param_find(const char *path, size_t size)
{
    const struct ds_param *row;
    for (size_t n = 0; (row = ds_param_at(n)) != NULL; n++)
        if (strlen(row->path) == size && memcmp(row->path, path, size) == 0)
            return row;
    return NULL;
}

const char *ds_param_name(const struct ds_param *row)
{
    const char *dot = strrchr(row->path, '.');
    return dot != NULL ? dot + 1 : row->path;
}

const struct ds_param *ds_param_next(const char *path, size_t *cursor)
{
    size_t size = strlen(path);
    const struct ds_param *row;
    while ((row = ds_param_at(*cursor)) != NULL) {
        ++*cursor;
        size_t parent = (size_t)(ds_param_name(row) - row->path);
        if (parent == size + (size > 0) && memcmp(row->path, path, size) == 0)
            return row;
    }
    return NULL;
}

const struct ds_param *ds_param_decider(const char *path)
{
    size_t cursor = 0;
    const struct ds_param *row;
    while ((row = ds_param_next(path, &cursor)) != NULL)
        if ((row->flags & DS_DECIDES) != 0)
            return row;
    return NULL;
}

const struct ds_choice *ds_choice_of(const struct ds_choice *choices, uint32_t value)
{
    for (; choices->name != NULL; choices++)
        if (choices->value == value)
            return choices;
    return NULL;
}

const char *ds_choice_name(const struct ds_choice *choices, uint32_t value)
{
    const struct ds_choice *c = ds_choice_of(choices, value);
    return c != NULL ? c->name : "?";
}
