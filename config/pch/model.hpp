// What most sources read, precompiled where time counts more than a second look at their includes: `tests/run`
// builds with -Db_pch=true. Every source still includes what it uses; builds without it, as the package's, hold it to that.
#include "config/model.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <span>
#include <sstream>
#include <string>
#include <string_view>
#include <thread>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>
