#include "daemon/loader.hpp"

#include "config/counted.hpp"
#include "config/load/load.hpp"
#include "daemon/memory.hpp"
#include "daemon/notify.hpp"

#include <algorithm>
#include <exception>

namespace fairway::daemon {

using policies::CommandResult;

namespace {

CommandResult refusal(const std::string& why, const Diagnostics& problems) {
    CommandResult r{false, why + "; the running configuration stays", {}};
    for (const auto& p : problems.all()) r.details.push_back(p.to_string());
    return r;
}

CommandResult success(const Model& model, const Diagnostics& warnings) {
    const auto names = std::ranges::count_if( // two halves are one
        model.services, [](const Service& s) { return s.family != Family::v6; });
    CommandResult r{
        true, "loaded " + model.file + ": " + counted(static_cast<std::size_t>(names), "service"), {}};
    for (const auto& w : warnings.all()) r.details.push_back(w.to_string());
    return r;
}

}

Loaded load_all(const std::filesystem::path& file, Diagnostics& problems) {
    auto written = std::make_shared<Written>();
    const auto model = load::load(file, problems, written.get());
    if (!model) return {};
    const std::vector<AnswerPlan> undecided(model->services.size());
    dns::SnapshotPtr names = dns::compile(*model, undecided, 0);
    for (auto& zone : model->zones) zone.records = {}; // the name table has them: no need to have them twice
    return {model, std::move(names), std::move(written)};
}

std::string needs_restart(const Model& a, const Model& b) {
    if (a.dns.listen != b.dns.listen) return "dns.listen";
    if (a.dns.threads != b.dns.threads) return "dns.threads";
    if (a.http.listen != b.http.listen) return "http.listen";
    if (a.control.socket != b.control.socket) return "control.socket";
    if (a.control.listen != b.control.listen) return "control.listen";
    if (a.probes.threads != b.probes.threads) return "probes.threads";
    if (a.log.format != b.log.format) return "log.format";
    if (a.state.directory != b.state.directory) return "state.directory";
    if (a.state.journal_keep != b.state.journal_keep) return "state.journal.keep";
    if (a.state.journal_megabytes != b.state.journal_megabytes) return "state.journal.megabytes";
    return "";
}

Loaded with_learned(const Loaded& configured, const policies::Learned& learned) {
    if (learned.empty()) return configured;
    auto model = std::make_shared<Model>(*configured.model);
    model->clients = policies::over(*model, configured.model->clients, learned);
    dns::SnapshotPtr names = dns::with_clients(*configured.names, *model);
    return {std::move(model), std::move(names), configured.written};
}

Loader::Loader(Loaded running, policies::Learned learned, Office office)
    : first_(running.model),
      configured_(std::move(running)),
      learned_(std::move(learned)),
      office_(std::move(office)),
      thread_([this] { run(); }) {}

Loader::~Loader() {
    {
        std::lock_guard hold(mutex_);
        stop_ = true;
    }
    work_.notify_one();
    thread_.join();
}

std::future<CommandResult> Loader::reload(Asker asker, bool forced) {
    return put(std::packaged_task<CommandResult()>(
        [this, a = std::move(asker), forced] { return reload_now(a, forced); }));
}

std::future<Prospect> Loader::look_at(std::filesystem::path file) {
    const auto found = std::make_shared<std::promise<Prospect>>();
    put(std::packaged_task<CommandResult()>([this, found, file = std::move(file)] {
        found->set_value(prospect_of(file));
        give_back_memory();
        return CommandResult{true, {}, {}};
    }));
    return found->get_future();
}

Prospect Loader::prospect_of(const std::filesystem::path& file) const {
    Diagnostics problems;
    const Loaded loaded = load_all(file, problems);
    Prospect p{.model = loaded.model};
    for (const auto& problem : problems.all()) p.problems.push_back(problem.to_string());
    if (!loaded.model) return p;
    p.model = with_learned(loaded, learned_).model;
    p.restart = needs_restart(*first_, *loaded.model);
    p.loses = loss_by(*configured_.model, *loaded.model);
    p.keys = differences(*configured_.written, *loaded.written);
    p.names = changed_names(*configured_.names, *loaded.names);
    return p;
}

std::future<CommandResult> Loader::between(std::function<CommandResult()> deed) {
    return put(std::packaged_task<CommandResult()>(std::move(deed)));
}

void Loader::learn(policies::Learned learned) {
    put(std::packaged_task<CommandResult()>([this, l = std::move(learned)] {
        learned_ = l;
        return CommandResult{office_.learned(with_learned(configured_, learned_)), {}, {}};
    }));
}

std::future<CommandResult> Loader::put(std::packaged_task<CommandResult()> task) {
    auto result = task.get_future();
    {
        std::lock_guard hold(mutex_);
        tasks_.push_back(std::move(task));
    }
    work_.notify_one();
    return result;
}

void Loader::run() {
    for (;;) {
        std::unique_lock hold(mutex_);
        work_.wait(hold, [&] { return stop_ || !tasks_.empty(); });
        if (stop_) return;
        auto task = std::move(tasks_.front());
        tasks_.pop_front();
        hold.unlock();
        task();
    }
}

CommandResult Loader::reload_now(const Asker& asker, bool forced) {
    notify_reloading();
    CommandResult result;
    try {
        result = read_and_hand_over(forced);
    } catch (const std::exception& e) { result = refusal(e.what(), {}); }
    office_.ended(asker, result); // after SIGHUP nobody reads the result
    give_back_memory();
    notify_ready();
    return result;
}

CommandResult Loader::read_and_hand_over(bool forced) {
    Diagnostics problems;
    Loaded loaded = load_all(first_->file, problems);
    if (!loaded.model) return refusal("the configuration is refused", problems);
    if (const auto key = needs_restart(*first_, *loaded.model); !key.empty())
        return refusal("a change of " + key + " needs a restart", problems);
    if (const auto loss = loss_by(*configured_.model, *loaded.model); !forced && !loss.empty())
        return refusal(loss + "; `fairwayctl reload --force` does it all the same", problems);
    CommandResult taken_over = success(*loaded.model, problems);
    if (office_.adopt(with_learned(loaded, learned_))) {
        configured_ = std::move(loaded);
        return taken_over;
    }
    return refusal("the control thread did not take it over in time", {});
}

} // namespace fairway::daemon
