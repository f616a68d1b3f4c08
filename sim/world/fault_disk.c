/* Disks that lose, tear, undo or refuse what is written.
 *
 *   lost_fsync       image at the begin; whoever crashes meanwhile starts again from it
 *   stale_snapshot   image at the begin; at the end the node starts again from it, at once
 *   torn_write       armed: in the first step that changes what is durable the node dies.  Nothing
 *                    of that step leaves; two copies are on disk, the one before it and half of
 *                    the one after, which recovery finds torn
 *   full             armed too: the write is refused, the node dies, and is back at the fault's end
 *
 * An armed node is saved before each of its steps, so that what stood on its disk then is known.
 * It dies on its own shard (nothing reaches it from then on) and is found dead at the next
 * barrier. */
#include <stdlib.h>

#include "models/adversary/adversary.h"
#include "models/base/mem.h"
#include "models/node/durable.h"
#include "sim/world/faults.h"

/* --- images ----------------------------------------------------------------------------------- */

struct world_image world_image_of(struct ds_world *w, uint32_t node)
{
    struct world_image i;
    i.size = dc_node_save(w->node[node], &i.bytes);
    dc_node_image_hold(w->store, i.bytes, i.size);
    return i;
}

struct world_image world_image_copy(struct ds_world *w, const struct world_image *image)
{
    struct world_image i = {dc_mem_need(image->size, 1, "the image of a disk"), image->size};
    memcpy(i.bytes, image->bytes, image->size);
    dc_node_image_hold(w->store, i.bytes, i.size);
    return i;
}

void world_image_drop(struct ds_world *w, struct world_image *image)
{
    if (image->bytes == NULL)
        return;
    dc_node_image_drop(w->store, image->bytes, image->size);
    dc_mem_free(image->bytes);
    *image = (struct world_image){0};
}

const struct world_image *world_fault_lost(const struct ds_world *w, uint32_t node)
{
    const struct world_occurrence *first = NULL;
    for (size_t i = 0; i < w->scenario->faults_count; i++) {
        const struct ds_fault *f = &w->scenario->faults[i];
        if (f->kind != DS_FAULT_DISK || f->disk != DS_DISK_LOST_FSYNC)
            continue;
        for (const struct world_occurrence *o = w->script->fault[i].first; o != NULL; o = o->next)
            if (o->image != NULL && o->image[node].bytes != NULL &&
                (first == NULL || o->begin_ns < first->begin_ns))
                first = o;
    }
    return first != NULL ? &first->image[node] : NULL;
}

/* --- begin and end ---------------------------------------------------------------------------- */

/* The node starts again from the image, now or when it is back. */
static void disk_roll_back(struct ds_world *w, uint32_t node, struct world_image *image,
                           int64_t now_ns)
{
    struct world_plight *p = &w->plight[node];
    if (p->unborn || p->gone) {
        world_image_drop(w, image);
        return;
    }
    world_fault_down(w, node, DS_STATE_DURABLE, now_ns);
    world_image_drop(w, &p->image);
    world_image_drop(w, &p->torn);
    p->image = *image;
    *image = (struct world_image){0};
    p->excused = true;
    world_fault_up(w, node, now_ns);
}

static void disk_begin(struct ds_world *w, const struct ds_fault *f, struct world_occurrence *o,
                       uint32_t node)
{
    struct world_plight *p = &w->plight[node];
    bool keeps = f->disk == DS_DISK_LOST_FSYNC || f->disk == DS_DISK_STALE_SNAPSHOT;
    if (keeps && o->image == NULL)
        o->image = dc_mem_need(w->nodes, sizeof *o->image, "images of disks");
    if (!keeps && o->dead == NULL)
        o->dead = dc_mem_need(w->nodes, sizeof *o->dead, "disks");
    if (keeps) {
        o->image[node] =
            p->image.bytes != NULL ? world_image_copy(w, &p->image) : world_image_of(w, node);
    } else {
        o->dead[node] = false;
        p->armed++;
        world_fault_flags(w, node);
    }
}

void world_fault_disk(struct ds_world *w, const struct ds_fault *f, struct world_occurrence *o,
                      uint32_t node, bool begin, int64_t now_ns)
{
    if (begin) {
        disk_begin(w, f, o, node);
        return;
    }
    switch ((enum ds_fault_disk)f->disk) {
    case DS_DISK_LOST_FSYNC: world_image_drop(w, &o->image[node]); break;
    case DS_DISK_STALE_SNAPSHOT: disk_roll_back(w, node, &o->image[node], now_ns); break;
    case DS_DISK_TORN_WRITE:
    case DS_DISK_FULL:
        if (!o->dead[node]) {
            w->plight[node].armed--;
            world_fault_flags(w, node);
        } else if (f->disk == DS_DISK_FULL) {
            world_fault_up(w, node, now_ns);
        }
        o->dead[node] = false;
    }
}

/* --- writes that kill ------------------------------------------------------------------------- */

static void disk_died(struct ds_world *w, uint32_t shard, const struct world_death *death)
{
    struct shard *s = &w->shard[shard];
    if (s->deaths == s->deaths_max) {
        s->deaths_max = s->deaths_max == 0 ? 16 : 2 * s->deaths_max;
        s->death = dc_mem_grow(s->death, s->deaths_max, sizeof *s->death);
        DC_CHECK(s->death != NULL);
    }
    s->death[s->deaths++] = *death;
}

bool world_fault_step(struct ds_world *w, uint32_t shard, uint32_t node, struct dc_input *in,
                      struct dc_effects *out)
{
    struct world_death death = {.time_ns = in->now_ns, .node = node};
    if (w->up[node] & WORLD_CLOCK)
        world_clock_read(w, node, in->now_ns, in);
    if ((w->up[node] & WORLD_DISK) == 0) {
        dc_adversary_step(w->node[node], in, out);
        return true;
    }
    uint64_t mark = dc_node_durable_mark(w->node[node]);
    death.before.size = dc_node_save(w->node[node], &death.before.bytes);
    dc_adversary_step(w->node[node], in, out);
    if (dc_node_durable_mark(w->node[node]) == mark) {
        dc_mem_free(death.before.bytes);
        return true;
    }
    dc_effects_clear(out);
    death.after.size = dc_node_save(w->node[node], &death.after.bytes) / 2;
    w->up[node] = 0;
    disk_died(w, shard, &death);
    return false;
}

/* The occurrence that killed it: a full disk before a torn write, the first in the script. */
static struct world_occurrence *disk_killer(struct ds_world *w, uint32_t node, uint32_t *fault)
{
    static const uint32_t modes[] = {DS_DISK_FULL, DS_DISK_TORN_WRITE};
    for (int m = 0; m < 2; m++)
        for (uint32_t i = 0; i < w->scenario->faults_count; i++) {
            const struct ds_fault *f = &w->scenario->faults[i];
            struct world_occurrence *o = w->script->fault[i].first;
            if (f->kind != DS_FAULT_DISK || f->disk != modes[m])
                continue;
            for (; o != NULL; o = o->next)
                if (o->to.node[node] && o->dead != NULL && !o->dead[node]) {
                    *fault = i;
                    return o;
                }
        }
    return NULL;
}

static void disk_bury(struct ds_world *w, struct world_death *death)
{
    struct world_plight *p = &w->plight[death->node];
    uint32_t fault = 0;
    struct world_occurrence *o = disk_killer(w, death->node, &fault);
    DC_CHECK(o != NULL);
    const struct ds_fault *f = &w->scenario->faults[fault];
    world_fault_down(w, death->node, DS_STATE_DURABLE, death->time_ns);
    if (p->image.bytes == NULL) { /* what it wrote before counts */
        p->image = death->before;
        dc_node_image_hold(w->store, p->image.bytes, p->image.size);
        death->before = (struct world_image){0};
        if (f->disk == DS_DISK_TORN_WRITE) {
            p->torn = death->after;
            dc_node_image_hold(w->store, p->torn.bytes, p->torn.size);
            death->after = (struct world_image){0};
        }
    }
    world_fault_death_free(death);
    o->dead[death->node] = true;
    p->armed--;
    if (f->disk == DS_DISK_FULL)
        return;
    p->torn_down++;
    if (f->restart_ns > 0)
        ds_schedule_add(&w->script->schedule,
                        &(struct ds_fault_step){death->time_ns + f->restart_ns, DS_STEP_UP, fault,
                                                death->node, o->number});
}

void world_fault_death_free(struct world_death *death)
{
    dc_mem_free(death->before.bytes);
    dc_mem_free(death->after.bytes);
}

static int disk_compare(const void *x, const void *y)
{
    const struct world_death *a = x, *b = y;
    return a->node < b->node ? -1 : a->node > b->node;
}

void world_fault_deaths(struct ds_world *w)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < w->threads; i++)
        count += w->shard[i].deaths;
    if (count == 0)
        return;
    struct world_death *death = dc_mem_need(count, sizeof *death, "deaths");
    count = 0;
    for (uint32_t i = 0; i < w->threads; i++)
        for (uint32_t k = 0; k < w->shard[i].deaths; k++)
            death[count++] = w->shard[i].death[k];
    qsort(death, count, sizeof *death, disk_compare);
    for (uint32_t i = 0; i < count; i++)
        disk_bury(w, &death[i]);
    for (uint32_t i = 0; i < w->threads; i++)
        w->shard[i].deaths = 0;
    dc_mem_free(death);
}
