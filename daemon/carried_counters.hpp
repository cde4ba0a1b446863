// Counters that outlive the process: what the one before this one has counted is added to what we count, so
// that no counter that is scraped goes back at an upgrade.
//
// They are carried as the text that Prometheus reads (its text format 0.0.4), so that versions which count
// different things understand each other. Any thread.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

namespace fairway::daemon {

class CarriedCounters {
  public:
    /// Until the other process has counted to its end, pages wait: it reads on for a second, and its last
    /// word takes no time.
    static constexpr std::chrono::seconds patience{3};

    /// The families of a page that only grow: counters and histograms.
    static std::string of(std::string_view page);

    void expect();                     ///< the last word of the process before us is still to come
    void carry(std::string_view page); ///< what of() gave it; replaces what it gave before

    void no_more(); ///< it ended without that word

    /// The page with what is carried added. Histograms of other buckets, and what is no counter any more, are
    /// left out.
    std::string over(std::string page) const;

    /// Others go on from here: no page shows more from now on than what this returns, whatever is still
    /// counted. Asks for `page` once none that is being made could show more. Called again: what was counted
    /// since, too.
    std::string close(const std::function<std::string()>& page);

  private:
    struct Family {
        std::string head, type; ///< its HELP and TYPE
        std::map<std::string, double> series;
    };
    using Families = std::map<std::string, Family>;
    static Families read(std::string_view page);
    static void add(Families& to, const Families& carried);
    static std::string sum(const std::string& page, const Families& carried);
    static std::string without(std::string_view page); ///< what of() leaves

    mutable std::mutex mutex_;
    mutable std::condition_variable came_;
    bool expected_ = false;
    std::shared_ptr<const Families> carried_; ///< under the mutex; null: nothing
    std::shared_ptr<const std::string> last_; ///< under the mutex; null: we still count
};

} // namespace fairway::daemon
