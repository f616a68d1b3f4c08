/* One figure of each kind, and some that are odd: for tests of figures and pages. */
#ifndef TESTS_ANALYSIS_FIGURES_H
#define TESTS_ANALYSIS_FIGURES_H

#include "analysis/figure.h"

#include <math.h>

#define AXIS(text, of_unit)                                                                        \
    {                                                                                              \
        .label = text, .unit = of_unit, .min = NAN, .max = NAN                                     \
    }
#define COUNT(a) (sizeof(a) / sizeof(a)[0])

/* lines with bands, one with a gap; a dashed limit */
static const double theta[] = {0.01, 0.02, 0.05, 0.1, 0.2, 0.4};
static const double loss_a[] = {4.2, 3.1, 2.2, 1.6, 1.7, 2.4};
static const double loss_a_lo[] = {3.8, 2.8, 2.0, 1.4, 1.5, 2.1};
static const double loss_a_hi[] = {4.6, 3.4, 2.4, 1.8, 1.9, 2.7};
static const double loss_b[] = {3.9, 3.5, NAN, 2.9, 2.7, 2.6};
static const double loss_b_lo[] = {3.5, 3.2, NAN, 2.7, 2.4, 2.4};
static const double loss_b_hi[] = {4.3, 3.8, NAN, 3.1, 3.0, 2.8};
static const double limit_x[] = {0.01, 0.4}, limit_y[] = {3, 3};
static const struct da_series lines[] = {{.name = "theta rule, audit 5 %",
                                          .mark = DA_MARK_LINE,
                                          .count = 6,
                                          .x = theta,
                                          .y = loss_a,
                                          .lo = loss_a_lo,
                                          .hi = loss_a_hi,
                                          .colour = -1},
                                         {.name = "random audits",
                                          .mark = DA_MARK_LINE,
                                          .count = 6,
                                          .x = theta,
                                          .y = loss_b,
                                          .lo = loss_b_lo,
                                          .hi = loss_b_hi,
                                          .colour = -1},
                                         {.name = "allowed",
                                          .mark = DA_MARK_LINE,
                                          .count = 2,
                                          .x = limit_x,
                                          .y = limit_y,
                                          .colour = DA_GREY,
                                          .dashed = true}};

/* bars with intervals */
static const char *const parts[] = {"protocol.theta", "protocol.slash_first", "protocol.audit",
                                    "adversaries.cheat.share"};
static const double part[] = {0, 1, 2, 3};
static const double first[] = {0.31, 0.44, 0.02, -0.01}, total[] = {0.56, 0.44, 0.24, 0.05};
static const double first_lo[] = {0.27, 0.40, -0.01, -0.03}, first_hi[] = {0.35, 0.48, 0.05, 0.01};
static const double total_lo[] = {0.51, 0.40, 0.20, 0.02}, total_hi[] = {0.61, 0.49, 0.28, 0.08};
static const struct da_series bars[] = {{.name = "first order",
                                         .mark = DA_MARK_BARS,
                                         .count = 4,
                                         .x = part,
                                         .y = first,
                                         .lo = first_lo,
                                         .hi = first_hi,
                                         .colour = -1},
                                        {.name = "total",
                                         .mark = DA_MARK_BARS,
                                         .count = 4,
                                         .x = part,
                                         .y = total,
                                         .lo = total_lo,
                                         .hi = total_hi,
                                         .colour = -1}};

/* points with labels and error bars: a front */
static const double profit[] = {-1.2, -0.4, 0.3, 0.9, 1.4, 0.8, -0.2};
static const double honest[] = {2.9, 1.7, 1.1, 0.8, 0.7, 1.6, 2.4};
static const double honest_lo[] = {2.6, 1.5, 1.0, 0.7, 0.6, 1.4, 2.2};
static const double honest_hi[] = {3.2, 1.9, 1.2, 0.9, 0.8, 1.8, 2.6};
static const char *const setting[] = {"theta 0.4",  "theta 0.2", "theta 0.1", "theta 0.05",
                                      "theta 0.02", NULL,        NULL};
static const struct da_series front[] = {
    {.name = "front", .mark = DA_MARK_STEP, .count = 5, .x = profit, .y = honest, .colour = 0},
    {.name = "not dominated",
     .mark = DA_MARK_POINTS,
     .count = 5,
     .x = profit,
     .y = honest,
     .lo = honest_lo,
     .hi = honest_hi,
     .label = setting,
     .colour = 0},
    {.name = "dominated",
     .mark = DA_MARK_POINTS,
     .count = 2,
     .x = profit + 5,
     .y = honest + 5,
     .lo = honest_lo + 5,
     .hi = honest_hi + 5,
     .colour = DA_GREY}};

/* steps: a receiver operating characteristic */
static const double fpr[] = {0, 0, 0.05, 0.1, 0.2, 0.4, 0.7, 1};
static const double tpr[] = {0, 0.3, 0.55, 0.7, 0.82, 0.92, 0.98, 1}, chance[] = {0, 1};
static const struct da_series roc[] = {{.name = "detector, area 0.87",
                                        .mark = DA_MARK_STEP,
                                        .count = 8,
                                        .x = fpr,
                                        .y = tpr,
                                        .colour = -1},
                                       {.name = "chance",
                                        .mark = DA_MARK_LINE,
                                        .count = 2,
                                        .x = chance,
                                        .y = chance,
                                        .colour = DA_GREY,
                                        .dashed = true}};

/* spans: faults over time */
static const char *const faults[] = {"crash of validator-3", "partition eu | us", "link loss 20 %",
                                     "clock drift"};
static const double from[] = {10, 40, 55, 70}, until[] = {25, 52, 90, NAN}, row[] = {0, 1, 2, 3};
static const double again[] = {60}, again_end[] = {64}, again_row[] = {0};
static const char *const effect[] = {"down", "cut", NULL, "200 ppm"};
static const struct da_series spans[] = {{.name = "scripted",
                                          .mark = DA_MARK_SPANS,
                                          .count = 4,
                                          .x = from,
                                          .x_end = until,
                                          .y = row,
                                          .label = effect,
                                          .colour = -1},
                                         {.name = "drawn",
                                          .mark = DA_MARK_SPANS,
                                          .count = 1,
                                          .x = again,
                                          .x_end = again_end,
                                          .y = again_row,
                                          .colour = -1}};

/* cells: a heat map, and one with names on both axes */
static double cell_x[30], cell_y[30], cell_shade[30];
static const struct da_series cells[] = {{.name = "loss",
                                          .mark = DA_MARK_CELLS,
                                          .count = 30,
                                          .x = cell_x,
                                          .y = cell_y,
                                          .shade = cell_shade,
                                          .colour = -1}};
static const double pair_x[] = {0, 1, 2, 0, 1, 2}, pair_y[] = {0, 0, 0, 1, 1, 1};
static const double pair_shade[] = {12, 180, 1500, 40, 7, NAN};
static const char *const who[] = {"partial", "washer", "ghost"};
static const char *const why[] = {"challenged by theta", "audited at random"};
static const struct da_series pairs[] = {{.mark = DA_MARK_CELLS,
                                          .count = 6,
                                          .x = pair_x,
                                          .y = pair_y,
                                          .shade = pair_shade,
                                          .colour = -1}};

/* edges and points: regions */
static const double lon[] = {-75, -120, 10, 25, 105, 140, -47, 150};
static const double lat[] = {40, 37, 50, 60, 1, 36, -23, -34};
static const double nodes[] = {40, 25, 60, 8, 30, 22, 12, 9};
static const char *const region[] = {"us-east",      "us-west",      "eu-central", "eu-north",
                                     "ap-southeast", "ap-northeast", "sa-east",    "ap-south"};
static const double e_x[] = {-75, -75, 10, 10, 105, -75, 105};
static const double e_y[] = {40, 40, 50, 50, 1, 40, 1};
static const double e_x2[] = {-120, 10, 25, 105, 140, -47, 150};
static const double e_y2[] = {37, 50, 60, 1, 36, -23, -34};
static const double e_size[] = {12, 20, 5, 9, 4, 2, 1};
static const struct da_series map[] = {{.name = "traffic",
                                        .mark = DA_MARK_EDGES,
                                        .count = 7,
                                        .x = e_x,
                                        .y = e_y,
                                        .x_end = e_x2,
                                        .y_end = e_y2,
                                        .size = e_size,
                                        .colour = 5},
                                       {.name = "nodes",
                                        .mark = DA_MARK_POINTS,
                                        .count = 8,
                                        .x = lon,
                                        .y = lat,
                                        .size = nodes,
                                        .label = region,
                                        .colour = 1}};

/* many points of many series */
enum { MANY = 20000 };
static double many_x[MANY], some_x[300], few_x[60], many_y[6][MANY];
static const struct da_series many[] = {
    {.name = "median",
     .mark = DA_MARK_LINE,
     .count = MANY,
     .x = many_x,
     .y = many_y[0],
     .colour = -1},
    {.name = "p90", .mark = DA_MARK_LINE, .count = 300, .x = some_x, .y = many_y[1], .colour = -1},
    {.name = "p99", .mark = DA_MARK_STEP, .count = 200, .x = some_x, .y = many_y[2], .colour = -1},
    {.name = "all",
     .mark = DA_MARK_POINTS,
     .count = MANY,
     .x = many_x,
     .y = many_y[3],
     .colour = -1},
    {.name = "worst of a hundred",
     .mark = DA_MARK_LINE,
     .count = 60,
     .x = few_x,
     .y = many_y[4],
     .colour = -1,
     .dashed = true},
    {.name = "bound", .mark = DA_MARK_LINE, .count = 60, .x = few_x, .y = many_y[5], .colour = 6}};

/* nothing, and what cannot be shown */
static const double odd_x[] = {1, 2, 3, 4, NAN, INFINITY}, odd_y[] = {-1, 0, INFINITY, NAN, 5, 6};
static const struct da_series odd[] = {
    {.name = "<script>alert(1)</script>",
     .mark = DA_MARK_LINE,
     .count = 6,
     .x = odd_x,
     .y = odd_y,
     .lo = odd_y,
     .hi = odd_y,
     .colour = -1},
    {.name = "]]>\"'&\x01\xff", .mark = DA_MARK_POINTS, .count = 0, .colour = -1}};
static const double one_x[] = {3}, one_y[] = {1234567};
static const struct da_series single[] = {
    {.name = "one point", .mark = DA_MARK_LINE, .count = 1, .x = one_x, .y = one_y, .colour = -1}};

enum { FIGURES = 11 };
static const struct da_figure figures[FIGURES] = {
    {.id = "theta-loss",
     .title = "Loss against theta",
     .caption = "Honest loss by theta; bands: 95 % intervals of the mean over 10 replications.",
     .x = {.label = "theta", .unit = "1", .log = true, .min = NAN, .max = NAN},
     .y = AXIS("honest loss", "%"),
     .series = lines,
     .count = COUNT(lines)},
    {.id = "sobol",
     .title = "What matters",
     .caption = "Sobol' indices with bootstrap intervals.",
     .x = {.label = "parameter", .min = NAN, .max = NAN, .category = parts, .categories = 4},
     .y = AXIS("share of the variance", "1"),
     .series = bars,
     .count = COUNT(bars)},
    {.id = "front",
     .title = "Profit against loss",
     .x = AXIS("a cheat's profit", "DSYNC"),
     .y = AXIS("honest loss", "%"),
     .series = front,
     .count = COUNT(front)},
    {.id = "roc",
     .title = "Detection",
     .x = AXIS("false alarms, share of honest", "1"),
     .y = AXIS("found, share of cheats", "1"),
     .series = roc,
     .count = COUNT(roc),
     .aspect = 0.8},
    {.id = "faults",
     .title = "Faults over time",
     .x = AXIS("time", "s"),
     .y = {.min = NAN, .max = NAN, .category = faults, .categories = 4},
     .series = spans,
     .count = COUNT(spans)},
    {.id = "heat",
     .title = "Loss over theta and audit rate",
     .x = {.label = "theta", .log = true, .min = NAN, .max = NAN},
     .y = AXIS("audit rate", "%"),
     .shade = AXIS("loss", "%"),
     .series = cells,
     .count = COUNT(cells)},
    {.id = "why",
     .title = "Who was challenged and why",
     .x = {.label = "kind of node", .min = NAN, .max = NAN, .category = who, .categories = 3},
     .y = {.min = NAN, .max = NAN, .category = why, .categories = 2},
     .shade = {.label = "challenges", .log = true, .min = NAN, .max = NAN},
     .series = pairs,
     .count = COUNT(pairs)},
    {.id = "map",
     .title = "Nodes by region",
     .x = {.bare = true, .min = -180, .max = 180},
     .y = {.bare = true, .min = -60, .max = 75},
     .series = map,
     .count = COUNT(map),
     .aspect = 0.55},
    {.id = "many",
     .title = "Twenty thousand points",
     .x = AXIS("time", "s"),
     .y = AXIS("latency", "ms"),
     .series = many,
     .count = COUNT(many)},
    {.id = "odd",
     .title = "<b>\"Odd\" & hostile</b>",
     .caption = "]]></script><script>alert(2)",
     .x = {.label = "x's <i>", .unit = "1/s", .log = true, .min = NAN, .max = NAN},
     .y = {.label = "y", .log = true, .min = -3, .max = NAN},
     .series = odd,
     .count = COUNT(odd)},
    {.id = "one",
     .title = "One point",
     .x = AXIS("epoch", ""),
     .y = AXIS("stake", "DSYNC"),
     .series = single,
     .count = COUNT(single)}};

static const struct da_figure *test_figures(void)
{
    static const double audit[] = {1, 2, 3, 4, 5};
    for (size_t i = 0; i < 30; i++) {
        cell_x[i] = theta[i % 6];
        cell_y[i] = audit[i / 6];
        cell_shade[i] =
            i == 8 ? NAN : 4 - 0.3 * (double)(i / 6) + 0.1 * pow((double)(i % 6) - 3, 2);
    }
    for (size_t i = 0; i < MANY; i++) {
        many_x[i] = (double)i / 100;
        for (size_t k = 0; k < 6; k++)
            many_y[k][i] = 10 * (double)(k + 1) + 5 * sin((double)i / (50 + 90 * (double)k)) +
                           (double)((i * 7919 + k * 31) % 101) / 60;
    }
    for (size_t i = 0; i < 300; i++)
        some_x[i] = (double)i * 2 / 3;
    for (size_t i = 0; i < 60; i++)
        few_x[i] = (double)i * 10 / 3;
    return figures;
}

#endif
