/* GML with Shadow's attributes, read by igraph from memory.
 *
 *     graph [ directed 0
 *       node [ id 0 label "Tokyo" host_bandwidth_up "100 Mbit" host_bandwidth_down "1 Gbit" ]
 *       edge [ source 0 target 0 latency "1 ms" packet_loss 0.0 ] ]
 *
 * (Shadow, docs/network_graph_spec.md.)  An edge's jitter attribute is ignored, as it is there:
 * jitter is a distribution of the scenario.  Refusals name vertices by label or id, since igraph
 * keeps no positions. */
#include "models/base/fixed.h"
#include "models/base/mem.h"
#include "sim/net/graph.h"
#include "sim/net/link.h"
#include "sim/net/parse.h"

#include <igraph/igraph.h>
#include <stdio.h>
#include <string.h>

enum gml_type { GML_ABSENT, GML_NUMBER, GML_STRING };

/* The attributes that count, with the types that the file gave them. */
struct gml {
    const char *name;
    igraph_t graph;
    enum gml_type id, label, up, down, latency, loss;
    struct ds_net_edges edges;
    int64_t *latency_ns;
    uint32_t *survive_q31;
    struct ds_net_topology *t;
    struct dc_error *error;
};

static enum gml_type gml_type_of(const igraph_strvector_t *names, const igraph_vector_int_t *types,
                                 const char *name)
{
    for (igraph_integer_t i = 0; i < igraph_strvector_size(names); i++)
        if (strcmp(igraph_strvector_get(names, i), name) == 0)
            return VECTOR(*types)[i] == IGRAPH_ATTRIBUTE_NUMERIC  ? GML_NUMBER
                   : VECTOR(*types)[i] == IGRAPH_ATTRIBUTE_STRING ? GML_STRING
                                                                  : GML_ABSENT;
    return GML_ABSENT;
}

static igraph_error_t gml_types_into(struct gml *m, igraph_strvector_t *names,
                                     igraph_vector_int_t *types)
{
    igraph_strvector_t none_names;
    igraph_vector_int_t none_types;
    igraph_error_t code = igraph_strvector_init(&none_names, 0);
    if (code != IGRAPH_SUCCESS)
        return code;
    code = igraph_vector_int_init(&none_types, 0);
    if (code != IGRAPH_SUCCESS) {
        igraph_strvector_destroy(&none_names);
        return code;
    }
    code = igraph_cattribute_list(&m->graph, &none_names, &none_types, names, types, NULL, NULL);
    if (code == IGRAPH_SUCCESS) {
        m->id = gml_type_of(names, types, "id");
        m->label = gml_type_of(names, types, "label");
        m->up = gml_type_of(names, types, "host_bandwidth_up");
        m->down = gml_type_of(names, types, "host_bandwidth_down");
        code = igraph_cattribute_list(&m->graph, NULL, NULL, NULL, NULL, names, types);
    }
    if (code == IGRAPH_SUCCESS) {
        m->latency = gml_type_of(names, types, "latency");
        m->loss = gml_type_of(names, types, "packet_loss");
    }
    igraph_strvector_destroy(&none_names);
    igraph_vector_int_destroy(&none_types);
    return code;
}

static enum dc_status gml_no_memory(const struct gml *m)
{
    return dc_error_set(m->error, DC_ERR_IO, "%s: out of memory", m->name);
}

static enum dc_status gml_types(struct gml *m)
{
    igraph_strvector_t names;
    igraph_vector_int_t types;
    if (igraph_strvector_init(&names, 0) != IGRAPH_SUCCESS)
        return gml_no_memory(m);
    if (igraph_vector_int_init(&types, 0) != IGRAPH_SUCCESS) {
        igraph_strvector_destroy(&names);
        return gml_no_memory(m);
    }
    igraph_error_t code = gml_types_into(m, &names, &types);
    igraph_strvector_destroy(&names);
    igraph_vector_int_destroy(&types);
    return code == IGRAPH_SUCCESS ? DC_OK : ds_graph_igraph_error(m->name, code, m->error);
}

/* Text of any origin made fit to be shown. */
static void gml_copy_name(char out[DS_TOPOLOGY_NAME_BYTES], const char *text)
{
    size_t n = 0;
    for (; text[n] != '\0' && n < DS_TOPOLOGY_NAME_BYTES - 1; n++)
        out[n] = (char)((unsigned char)text[n] >= ' ' && text[n] != 127 ? text[n] : '?');
    out[n] = '\0';
}

static enum dc_status gml_bandwidth(struct gml *m, uint32_t v, const char *attribute,
                                    enum gml_type type, int64_t *bps)
{
    *bps = 0;
    if (type == GML_ABSENT)
        return DC_OK;
    const char *text = type == GML_STRING ? igraph_cattribute_VAS(&m->graph, attribute, v) : "";
    double number = type == GML_NUMBER ? igraph_cattribute_VAN(&m->graph, attribute, v) : 0;
    if ((type == GML_STRING && text[0] == '\0') || number != number)
        return DC_OK; /* this vertex does not say */
    if (type == GML_STRING && ds_parse_bandwidth_bps(text, DS_NET_BPS_MAX, bps) && *bps > 0)
        return DC_OK;
    char shown[DS_TOPOLOGY_NAME_BYTES];
    gml_copy_name(shown, text);
    return dc_error_set(m->error, DC_ERR_USAGE,
                        "%s: vertex %s: %s is '%s'; expected a bandwidth with its unit, such as "
                        "\"100 Mbit\" (up to 1 Tbit)",
                        m->name, m->t->place[v].name, attribute, shown);
}

static enum dc_status gml_vertices(struct gml *m)
{
    igraph_integer_t n = igraph_vcount(&m->graph);
    if (n == 0)
        return dc_error_set(m->error, DC_ERR_USAGE, "%s: the graph has no node", m->name);
    if (n > DS_TOPOLOGY_PLACES_MAX)
        return dc_error_set(m->error, DC_ERR_LIMIT, "%s: %lld nodes are more than %d", m->name,
                            (long long)n, DS_TOPOLOGY_PLACES_MAX);
    m->t->place = dc_mem_alloc((size_t)n, sizeof(*m->t->place));
    if (m->t->place == NULL)
        return gml_no_memory(m);
    m->edges.nodes = (uint32_t)n;
    for (uint32_t v = 0; v < n; v++) {
        struct ds_net_place *p = &m->t->place[v];
        if (m->label == GML_STRING)
            gml_copy_name(p->name, igraph_cattribute_VAS(&m->graph, "label", v));
        if (p->name[0] == '\0' && m->id == GML_NUMBER)
            snprintf(p->name, sizeof(p->name), "%.17g", igraph_cattribute_VAN(&m->graph, "id", v));
        if (p->name[0] == '\0')
            snprintf(p->name, sizeof(p->name), "%u", v);
    }
    for (uint32_t v = 0; v < n; v++) {
        enum dc_status status =
            gml_bandwidth(m, v, "host_bandwidth_up", m->up, &m->t->place[v].up_bps);
        if (status == DC_OK)
            status = gml_bandwidth(m, v, "host_bandwidth_down", m->down, &m->t->place[v].down_bps);
        if (status != DC_OK)
            return status;
    }
    return DC_OK;
}

static enum dc_status gml_refuse_edge(const struct gml *m, uint32_t e, const char *what,
                                      const char *value)
{
    char shown[DS_TOPOLOGY_NAME_BYTES];
    gml_copy_name(shown, value);
    return dc_error_set(m->error, DC_ERR_USAGE, "%s: edge from %s to %s: %s%s%s%s", m->name,
                        m->t->place[m->edges.end[2 * e]].name,
                        m->t->place[m->edges.end[2 * e + 1]].name, what,
                        value[0] != '\0' ? ", not '" : "", shown, value[0] != '\0' ? "'" : "");
}

static enum dc_status gml_edge(struct gml *m, uint32_t e)
{
    static const char no_latency[] = "no latency; add one with its unit, such as latency \"10 ms\"";
    static const char bad_latency[] = "latency must be a time with its unit, such as \"10 ms\", "
                                      "above 0 and at most 1 h";
    if (m->latency == GML_ABSENT)
        return gml_refuse_edge(m, e, no_latency, "");
    if (m->latency == GML_NUMBER) {
        double number = igraph_cattribute_EAN(&m->graph, "latency", e);
        char text[DS_TOPOLOGY_NAME_BYTES];
        snprintf(text, sizeof(text), "%g", number);
        return number != number ? gml_refuse_edge(m, e, no_latency, "")
                                : gml_refuse_edge(m, e, bad_latency, text);
    }
    const char *latency = igraph_cattribute_EAS(&m->graph, "latency", e);
    if (latency[0] == '\0')
        return gml_refuse_edge(m, e, no_latency, "");
    if (!ds_parse_duration_ns(latency, DS_TOPOLOGY_LATENCY_MAX_NS, &m->latency_ns[e]) ||
        m->latency_ns[e] == 0)
        return gml_refuse_edge(m, e, bad_latency, latency);
    m->survive_q31[e] = DC_ONE;
    if (m->loss == GML_STRING)
        return gml_refuse_edge(m, e, "packet_loss must be a number from 0 to 1",
                               igraph_cattribute_EAS(&m->graph, "packet_loss", e));
    if (m->loss == GML_NUMBER) {
        double loss = igraph_cattribute_EAN(&m->graph, "packet_loss", e);
        if (loss < 0 || loss > 1)
            return gml_refuse_edge(m, e, "packet_loss must be a number from 0 to 1", "");
        m->survive_q31[e] = DC_ONE - dc_q31_from_double(loss); /* a missing one (NaN) is 0 */
    }
    return DC_OK;
}

static enum dc_status gml_edges(struct gml *m)
{
    igraph_integer_t count = igraph_ecount(&m->graph);
    if (count > (igraph_integer_t)DS_GRAPH_EDGES_MAX)
        return dc_error_set(m->error, DC_ERR_LIMIT, "%s: %lld edges are more than %u", m->name,
                            (long long)count, DS_GRAPH_EDGES_MAX);
    m->edges.count = (uint32_t)count;
    m->edges.end = dc_mem_alloc((size_t)count, 2 * sizeof(*m->edges.end));
    m->latency_ns = dc_mem_alloc((size_t)count, sizeof(*m->latency_ns));
    m->survive_q31 = dc_mem_alloc((size_t)count, sizeof(*m->survive_q31));
    if (m->edges.end == NULL || m->latency_ns == NULL || m->survive_q31 == NULL)
        return gml_no_memory(m);
    const bool directed = igraph_is_directed(&m->graph);
    for (uint32_t e = 0; e < count; e++) {
        uint32_t from = (uint32_t)IGRAPH_FROM(&m->graph, e);
        uint32_t to = (uint32_t)IGRAPH_TO(&m->graph, e);
        const bool swap = !directed && from > to; /* igraph puts the later vertex first */
        m->edges.end[2 * e] = swap ? to : from;
        m->edges.end[2 * e + 1] = swap ? from : to;
    }
    for (uint32_t e = 0; e < count; e++) {
        enum dc_status status = gml_edge(m, e);
        if (status != DC_OK)
            return status;
    }
    return DC_OK;
}

static enum dc_status gml_convert(struct gml *m)
{
    enum dc_status status = gml_types(m);
    if (status == DC_OK)
        status = gml_vertices(m);
    if (status == DC_OK)
        status = gml_edges(m);
    if (status == DC_OK)
        status = ds_topology_route(m->name, &m->edges, m->latency_ns, m->survive_q31,
                                   igraph_is_directed(&m->graph), m->t, m->error);
    ds_edges_free(&m->edges);
    dc_mem_free(m->latency_ns);
    dc_mem_free(m->survive_q31);
    return status;
}

/* igraph tells a handler, and no caller, where a file is broken; so what it refuses is read again,
 * only as far as tokens: key, then a number, a "string" or a [ list ].  NULL: none found. */
static const char *gml_find_fault(const char *p, const char *end, uint32_t *line)
{
    uint32_t depth = 0;
    bool key = false; /* a key waits for its value */
    *line = 1;
    for (; p < end; p++) {
        if (*p == '\n') {
            ++*line;
        } else if (*p == '#') {
            while (p + 1 < end && p[1] != '\n')
                p++;
        } else if (*p == ' ' || *p == '\t' || *p == '\r') {
            continue;
        } else if (*p == ']') {
            if (key || depth-- == 0)
                return key ? "a key without a value before ']'" : "']' without '['";
        } else if (!key) {
            if ((*p | 32) < 'a' || (*p | 32) > 'z')
                return "expected a key, such as node, edge or latency";
            while (p + 1 < end && (((p[1] | 32) >= 'a' && (p[1] | 32) <= 'z') || p[1] == '_' ||
                                   (p[1] >= '0' && p[1] <= '9')))
                p++;
            key = true;
        } else if (*p == '"') {
            uint32_t lines = 0;
            for (p++; p < end && *p != '"'; p++)
                lines += *p == '\n';
            if (p == end)
                return "a string without its closing quote begins here";
            *line += lines;
            key = false;
        } else if (*p == '[') {
            depth++;
            key = false;
        } else {
            if (strchr("+-.0123456789", *p) == NULL)
                return "expected a number, a \"string\" or '['";
            while (p + 1 < end && strchr("+-.0123456789eE", p[1]) != NULL)
                p++;
            key = false;
        }
    }
    return depth > 0 ? "']' is missing at the end" : key ? "a key without a value" : NULL;
}

static enum dc_status gml_refuse_file(const struct gml *m, const char *text, size_t size,
                                      igraph_error_t code)
{
    uint32_t line;
    const char *fault = gml_find_fault(text, text + size, &line);
    if (fault != NULL)
        return dc_error_set(m->error, DC_ERR_USAGE, "%s:%u: not a GML graph: %s", m->name, line,
                            fault);
    return dc_error_set(m->error, DC_ERR_USAGE,
                        "%s: not a GML graph that igraph can read (%s): is each id given once, and "
                        "each source and target the id of a node?",
                        m->name, igraph_strerror(code));
}

enum dc_status ds_topology_from_gml(const char *name, const char *text, size_t size,
                                    struct ds_net_topology *out, struct dc_error *error)
{
    struct gml m = {.name = name, .t = out, .error = error};
    *out = (struct ds_net_topology){.attempts = 1};
    if (size == 0 || memchr(text, '\0', size) != NULL) {
        ds_topology_free(out);
        return dc_error_set(error, DC_ERR_USAGE, "%s: not a GML graph: %s", name,
                            size == 0 ? "the file is empty" : "it has a zero byte");
    }
    ds_graph_prepare_igraph();
    FILE *file = fmemopen((void *)(uintptr_t)text, size, "r");
    if (file == NULL) {
        ds_topology_free(out);
        return dc_error_set(error, DC_ERR_IO, "%s: out of memory", name);
    }
    enum dc_status status;
    igraph_error_t code = igraph_read_graph_gml(&m.graph, file);
    if (code == IGRAPH_SUCCESS) {
        status = gml_convert(&m);
        igraph_destroy(&m.graph);
    } else if (code == IGRAPH_ENOMEM) {
        status = gml_no_memory(&m);
    } else {
        status = gml_refuse_file(&m, text, size, code);
    }
    fclose(file);
    if (status != DC_OK)
        ds_topology_free(out);
    return status;
}
