// The brake (L9): automation may take only so many of a service's endpoints out within a short time.
#pragma once

#include "config/model.hpp"

#include <optional>
#include <span>
#include <vector>

namespace fairway::policies {

/// Which of the endpoints that are out are braked: kept although unfit, because too many went at once.
/// `out_since[i]` is when automation took endpoint i out; nullopt for one that is fit, or not automation's
/// doing. `count` is the number of not-excluded endpoints.
std::vector<bool> braked(std::span<const std::optional<Instant>> out_since, std::size_t count,
                         const Brake& brake, Instant now);

/// rules.min_datacenters: which stay because so many have to be left, however long they are out. The first to
/// go may always be out.
std::vector<bool> kept(std::span<const std::optional<Instant>> out_since, std::size_t count,
                       std::size_t least);

/// When an endpoint that is out stops counting, so that a braked one may go: the next change by time alone.
std::optional<Instant> brake_due(std::span<const std::optional<Instant>> out_since, const Brake& brake,
                                 Instant now);

} // namespace fairway::policies
