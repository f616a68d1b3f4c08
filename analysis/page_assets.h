/* What stands in every page: files of analysis/chart and Chart.js, made into C by
 * analysis/chart/embed.cmake at build time. */
#ifndef ANALYSIS_PAGE_ASSETS_H
#define ANALYSIS_PAGE_ASSETS_H

struct da_asset {
    const char *text;   /* NUL-terminated; "" : was not there */
    const char *sha256; /* of the text, in base64: as Content-Security-Policy wants it */
};
enum da_asset_name { DA_ASSET_STYLE, DA_ASSET_SCRIPT, DA_ASSET_LICENSE, DA_ASSET_CHART, DA_ASSETS };
extern const struct da_asset da_assets[DA_ASSETS];

#endif
