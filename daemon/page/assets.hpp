// The files of the status page, embedded when it is built (embed.py).
#pragma once

#include <string_view>

namespace fairway::daemon::page {

extern const std::string_view style_css, live_js, icon_svg;

} // namespace fairway::daemon::page
