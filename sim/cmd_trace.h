/* Inside `trace`: what a watcher saw of a window of a run, kept for telling and drawing. */
#ifndef SIM_CMD_TRACE_H
#define SIM_CMD_TRACE_H

#include "sim/rerun.h"

/* What is drawn and told apart by colour.  The bits choose what --kinds shows. */
enum ds_trace_class {
    DS_TRACE_PROPOSAL,
    DS_TRACE_VOTE,
    DS_TRACE_TIMEOUT, /* the message; and nodes timing out */
    DS_TRACE_SYNC,    /* certificates, hand-overs, blocks asked for and sent */
    DS_TRACE_TX,
    DS_TRACE_CHALLENGE,
    DS_TRACE_CLIENT,   /* put, get, receipts and their replies; calls of users */
    DS_TRACE_GOSSIP,   /* announcements and pulls */
    DS_TRACE_MESSAGES, /* number of classes of messages */
    DS_TRACE_COMMIT = DS_TRACE_MESSAGES,
    DS_TRACE_FAULT, /* with crashes and restarts */
    DS_TRACE_TIMER,
    DS_TRACE_NOTE, /* what nodes observe: proposed, timed out, rejected, conflict ... */
    DS_TRACE_CLASSES
};
extern const char *const ds_trace_class_names[DS_TRACE_CLASSES];

/* The kind of the item that says where an invariant was first broken: of no node. */
enum { DS_TRACE_VIOLATION = UINT8_MAX };

struct ds_trace_item {
    int64_t time_ns;
    int64_t sent_ns, due_ns; /* of a message; -1 when not known */
    uint64_t content;        /* of a message */
    const char *text;        /* as in the log; of SENT what the message says alone */
    uint32_t node, peer;
    uint8_t class, kind; /* enum ds_watch_kind, or DS_TRACE_VIOLATION */
    bool down;           /* a message to a node that was down */
    uint64_t height;     /* COMMIT; of the note that a round timed out, the round */
    uint32_t detail;     /* FAULT and its end: which; NOTE: which */
};

struct ds_trace_log {
    const struct ds_scenario *scenario;
    const char *title;
    int64_t from_ns, until_ns;
    uint64_t *nodes; /* a bit per node that is watched */
    uint32_t node_count, watched;
    uint32_t classes; /* bits */
    struct ds_trace_item *list;
    size_t count, max, limit;
    uint64_t beyond; /* items past the limit: counted alone */
    struct dc_arena texts;
};

/* A space-time diagram as SVG: time runs down, nodes are lines, messages arrows from sending to
 * arrival.  Of more than DS_TRACE_ARROWS_MAX arrows every n-th of each class stays: the picture
 * says so, and n is returned (1: all are drawn). */
enum { DS_TRACE_ARROWS_MAX = 4000, DS_TRACE_NODES_MAX = 64 };
size_t ds_trace_draw(const struct ds_trace_log *log, struct dc_text *out);

#endif
