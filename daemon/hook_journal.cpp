#include "daemon/hook_journal.hpp"

#include "daemon/serialize.hpp"

namespace fairway::daemon {

void HookJournal::run(const Hook& hook, const Service& service, const policies::HookRequest& request,
                      Done done) {
    JournalEntry entry{.kind = JournalEntry::Kind::hook,
                       .what = std::string(step_name(request.step)),
                       .service = service.name.to_string(),
                       .datacenter = request.to,
                       .record = hook_json(service, request)};
    runner_.run(hook, service, request,
                [this, entry = std::move(entry), begun = loop_.now().mono,
                 done = std::move(done)](policies::HookResult result) mutable {
                    const Now now = loop_.now();
                    entry.at = now.wall;
                    entry.result = hook_result_json(result, now.mono - begun);
                    tell_(std::move(entry));
                    done(std::move(result));
                });
}

} // namespace fairway::daemon
