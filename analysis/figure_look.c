/* How series look: colour, dash, marker and hatch, so that none is told by colour alone. */
#include "analysis/figure_parts.h"

#include <math.h>
#include <stdio.h>

/* M. Okabe and K. Ito, "Color Universal Design" (2008); yellow last, it is faint on white. */
static const char *const palette[DA_LOOKS] = {"#0072b2", "#d55e00", "#009e73", "#e69f00",
                                              "#cc79a7", "#56b4e9", "#000000", "#f0e442"};
static const char *const dashes[DA_LOOKS] = {NULL,          "11 5",     "3 4", "14 4 3 4",
                                             "7 3 7 3 3 3", "18 5 5 5", "2 6", "22 4"};

struct da_look da_figure_look(const struct da_figure *f, size_t series)
{
    const struct da_series *s = &f->series[series];
    if (s->colour == DA_GREY)
        return (struct da_look){"#808080", s->dashed ? "7 5" : NULL, 5, 0};
    size_t order = 0; /* among those that take their colour by order */
    for (size_t i = 0; i < series; i++)
        order += f->series[i].colour == -1;
    size_t k = (s->colour >= 0 ? (size_t)s->colour : order) % DA_LOOKS;
    const char *dash = s->dashed ? (k == 0 ? "7 5" : dashes[k]) : NULL;
    return (struct da_look){palette[k], dash, (unsigned)k, (unsigned)k};
}

size_t da_figure_bar_place(const struct da_figure *f, size_t series)
{
    size_t place = 0;
    for (size_t i = 0; i < series; i++)
        place += f->series[i].mark == DA_MARK_BARS;
    return place;
}

/* Areas of more than one look are hatched. */
bool da_figure_hatched(const struct da_figure *f)
{
    size_t areas = 0;
    for (size_t i = 0; i < f->count; i++)
        areas += (f->series[i].mark == DA_MARK_BARS || f->series[i].mark == DA_MARK_SPANS) &&
                 f->series[i].colour != DA_GREY;
    return areas > 1;
}

void da_figure_shade(double share, char colour[16])
{
    /* J. Nunez, C. Anderton, R. Renslow, "Optimizing colormaps with consideration for color vision
     * deficiency" (2018): cividis, at each tenth */
    static const unsigned char at[11][3] = {{0, 34, 78},     {8, 51, 112},    {53, 69, 108},
                                            {79, 87, 108},   {102, 105, 112}, {125, 124, 120},
                                            {148, 142, 119}, {174, 163, 113}, {200, 184, 102},
                                            {229, 207, 82},  {254, 232, 56}};
    double tenth = fmin(fmax(share, 0), 1) * 10;
    size_t i = (size_t)fmin(floor(tenth), 9);
    unsigned rgb[3];
    for (size_t c = 0; c < 3; c++)
        rgb[c] = (unsigned)lround(at[i][c] + (tenth - (double)i) * (at[i + 1][c] - at[i][c]));
    snprintf(colour, 16, "#%02x%02x%02x", rgb[0] & 255, rgb[1] & 255, rgb[2] & 255);
}

double da_figure_share(const struct da_ruler *shade, double value)
{
    double share = da_ruler_at(shade, value);
    return isnan(share) ? NAN : fmin(fmax(share, 0), 1);
}
