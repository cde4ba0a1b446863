// As config/pch/model.hpp, for the drills.
#include "tests/sim/drill.hpp"

#include <algorithm>
