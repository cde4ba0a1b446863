#include "daemon/control_api.hpp"

#include "daemon/controller.hpp"
#include "daemon/prospect_words.hpp"
#include "daemon/what_if_words.hpp"

namespace fairway::daemon {

using policies::Command;
using policies::CommandResult;

namespace {

constexpr std::string_view root = "/v1/", push = "push/";

HttpResponse error(int status, std::string_view text) { return {status, error_json(text)}; }
HttpResponse busy() { return error(503, "the daemon did not answer in time; try again"); }
HttpResponse unknown() { return error(404, "no such path; this daemon speaks /v1"); }
HttpResponse result(const CommandResult& r, std::optional<std::string> not_stored = {}) {
    return {r.accepted ? 200 : 409, to_json(r, not_stored)};
}

/// A field that is none of those that are known.
std::optional<std::string> unknown_field(const JsonValue& body, std::string_view known) {
    for (const std::string& key : body.keys())
        if (key != known) return key;
    return std::nullopt;
}

/// Why what was decided is not on disk; nullopt: it is. Waits as long as an answer would.
std::optional<std::string> not_stored(const std::shared_future<std::string>& stored) {
    if (stored.wait_for(Controller::store_patience) != std::future_status::ready)
        return "the disk has not answered within " + to_string(Controller::store_patience);
    try {
        const std::string& why = stored.get();
        return why.empty() ? std::nullopt : std::optional(why);
    } catch (const std::future_error&) { return "the daemon ended before the disk answered"; }
}

}

bool ControlApi::is_report(const HttpRequest& request) {
    return request.method == "POST" && request.path.starts_with(std::string(root) + std::string(push));
}

HttpResponse ControlApi::answer(const HttpRequest& request, const std::string& who) {
    if (request.method != "POST") return read(request);
    if (!request.path.starts_with(root)) return unknown();
    const Asker asker{who, request.peer.empty() ? "control socket" : request.peer};
    const auto act = [&] { return post(request, std::string_view(request.path).substr(root.size()), asker); };
    return is_report(request) ? act()
                              : once_.once(request, asker, act); // of a report nobody knows yet who it is
}

HttpResponse ControlApi::read(const HttpRequest& request) {
    if (!request.path.starts_with(root)) return unknown();
    if (request.method != "GET" && request.method != "HEAD")
        return error(405, "GET to read; commands are taken by the control socket and by remote control");
    return get(request, std::string_view(request.path).substr(root.size()));
}

HttpResponse ControlApi::get(const HttpRequest& request, std::string_view what) {
    if (what == "version") return {200, to_json(office_.about)};
    if (what == "status") return status();
    if (what == "explain") return explain(request);
    if (what == "latency") return office_.latency(request);
    if (what == "zone") return office_.zone(request);
    if (what == "what-if") return what_if(request);
    if (what == "history") return office_.history(request);
    if (what == "events") return office_.events(request);
    return unknown();
}

HttpResponse ControlApi::status() {
    const auto latest = reports_.latest();
    return latest.report && latest.age < patience ? HttpResponse{200, to_json(*latest.report)} : busy();
}

HttpResponse ControlApi::explain(const HttpRequest& request) {
    const auto argument = [&](const char* key) {
        const auto it = request.query.find(key);
        return it == request.query.end() ? std::string() : it->second;
    };
    const auto name = Name::parse(argument("name"));
    if (!name || argument("name").empty()) return error(400, "name must be a domain name");
    const auto client = IpAddress::parse(argument("client"));
    if (!client && !argument("client").empty())
        return error(400, "client must be an address, such as 192.0.2.1");
    const std::string word = argument("type").empty() ? "A" : argument("type");
    const auto type = question_type(word);
    if (!type) return error(400, "type must be a record type, such as AAAA");
    auto found =
        desk_.ask([f = office_.explain, name, t = *type, client] { return f(*name, t, client); }, patience);
    if (!found) return busy();
    found->type = word;
    return {200, to_json(*found)};
}

ControlApi::Copied ControlApi::copied() {
    const std::lock_guard lock(copying_);
    const auto now = std::chrono::steady_clock::now();
    if (copy_ && now - copied_at_ < copy_lasts) return copy_;
    copy_ = copied_now();
    copied_at_ = now;
    return copy_;
}

ControlApi::Copied ControlApi::copied_now() {
    auto fresh = desk_.ask(
        [f = office_.engine, clock = office_.clock] {
            return Copied(std::make_shared<std::pair<policies::Engine, Now>>(f(), clock()));
        },
        patience);
    return fresh ? *fresh : nullptr;
}

/// The decision is copied in the control thread and asked here.
HttpResponse ControlApi::what_if(const HttpRequest& request) {
    const auto argument = [&](const char* key) {
        const auto it = request.query.find(key);
        return it == request.query.end() ? std::string() : it->second;
    };
    const auto copy = copied();
    if (!copy) return busy();
    const auto& [engine, now] = *copy;
    const auto question =
        read_question({argument("lose"), argument("down"), argument("load")}, engine.model());
    if (const auto* wrong = std::get_if<std::string>(&question)) return error(400, *wrong);
    return {200, to_json(policies::what_if(engine, std::get<policies::WhatIfQuestion>(question), now))};
}

HttpResponse ControlApi::post(const HttpRequest& request, std::string_view what, const Asker& asker) {
    if (what.starts_with(push)) return office_.push(what.substr(push.size()), request);
    if (what == "latency") return office_.latency(request);
    if (what == "upgrade") return result(office_.upgrade(asker));
    const auto body = JsonValue::parse(request.body.empty() ? "{}" : request.body);
    if (!body || !body->is_object()) return error(400, "the body must be a JSON object");
    if (what == "reload") return reload(*body, asker);
    if (what == "compare") return compare(*body);
    const auto read = read_command(what, *body, asker.who);
    if (!read) return unknown();
    if (const auto* bad = std::get_if<BadRequest>(&*read)) return error(400, bad->why);
    const auto done = desk_.ask(
        [f = office_.command, c = std::get<Command>(*read), asker] { return f(c, asker); }, patience);
    if (!done) return busy();
    if (const auto* unknown_name = std::get_if<BadRequest>(&*done)) return error(404, unknown_name->why);
    const auto& [came, stored] = std::get<Commanded>(*done);
    return result(came, not_stored(stored));
}

HttpResponse ControlApi::reload(const JsonValue& body, const Asker& asker) {
    if (auto key = unknown_field(body, "force")) return error(400, "unknown field " + *key);
    return result(office_.reload(asker, body.flag("force")));
}

HttpResponse ControlApi::compare(const JsonValue& body) {
    if (auto key = unknown_field(body, "file")) return error(400, "unknown field " + *key);
    const std::filesystem::path file =
        body.text("file").empty() ? office_.about.configuration : body.text("file");
    if (!file.is_absolute()) return error(400, "file must be an absolute path");
    auto reading = office_.look_at(file);
    if (reading.wait_for(reading_patience) != std::future_status::ready)
        return error(503, "the configuration is still being read after a minute");
    Prospect p;
    try {
        p = reading.get();
    } catch (const std::exception& e) { return error(503, std::string("it could not be read: ") + e.what()); }
    if (!p.model) return {200, refused_json(p, file.string())};
    const auto copy = copied_now(); // a reload may have been a moment ago
    if (!copy) return busy();
    return {200, to_json(p, policies::answer_changes(copy->first, p.model, copy->second))};
}

} // namespace fairway::daemon
