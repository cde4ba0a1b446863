// As config/pch/model.hpp, for the tables.
#include "tests/unit/policies/builders.hpp"

#include <algorithm>
