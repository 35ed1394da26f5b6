"""Letters as pages: drafted from an issue, edited, signed, followed by slips, measured."""

import datetime as dt
import io
import re
from html import unescape

import docx
import pypdf
import pytest

from data.letters.store import Letters
from tests.dashboard.letters.made import MEASURED, MeasuredStore
from tests.dashboard.pages import issued
from tests.dashboard.pages.conftest import HOSTILE, said
from tests.dashboard.pages.test_frame import check_harmless
from tests.data.letters.conftest import LEADER

GRANTS = {
    "leader": ("leader", "city", "*"),
    "east": ("command", "county", "9901001"),
    "west": ("command", "county", "9901002"),
    "gate": ("township", "township", "990100101"),
    "chief": ("grid_chief", "county", "9901001"),
}
REASON = "经主要负责同志审定"


@pytest.fixture
def place(make_site):
    """Two issued weeks, and readers of each area."""
    site = make_site(store=MeasuredStore())
    issued.issue(site.settings.home, issued.BEFORE)
    issued.issue(site.settings.home)
    for login, grant in GRANTS.items():
        site.person(login, grant)
    return site


def findings(page):
    return re.findall(r'name="finding" value="([0-9a-f]{24})"', page)


def drafted(place, login="leader", number=0):
    """Address of a letter that was drafted for a finding of the page."""
    browser = place.browser(login)
    found = findings(browser.get("/letters").text)
    answer = browser.post("/letters/draft", {"finding": found[number]}, page="/letters")
    assert answer.status_code == 303, said(answer.text)
    return browser, answer.headers["Location"].partition("?")[0]


def form(page):
    """What the edit form of a letter holds."""
    fields = dict(re.findall(r'<input[^>]* name="(\w+)"[^>]* value="([^"]*)"', page))
    areas = dict(re.findall(r'<textarea[^>]* name="(\w+)"[^>]*>(.*?)</textarea>', page, re.DOTALL))
    kept = {name: unescape(text) for name, text in {**fields, **areas}.items()}
    names = [f"{name}_{lang}" for name in ("addressee", "title", "body") for lang in ("zh", "en")]
    return {name: kept[name] for name in (*names, "due", "revision")}


def edit(browser, at, **changed):
    data = form(browser.get(at).text) | {"do": "edit"} | changed
    return browser.post(f"{at}/change", data, page=at)


def sign(browser, at, **changed):
    revision = re.search(r'name="revision" value="(\d+)"', browser.get(at).text)[1]
    data = {"do": "sign", "revision": revision, "reason": REASON} | changed
    return browser.post(f"{at}/change", data, page=at)


def slip(browser, at, kind):
    answer = browser.post(f"{at}/change", {"do": "slip", "kind": kind}, page=at)
    return answer.headers.get("Location", "").partition("?")[0] or answer


def test_what_a_letter_could_be_written_for_is_listed_with_its_figures(place):
    page = place.browser("leader").get("/letters").text
    assert len(findings(page)) == 1  # the red county
    assert "东区平安风险为红，风险值20.0" in page
    assert "风险预警函" in page
    assert "没有符合条件的函件" in page


def test_a_draft_tells_the_figures_of_the_issue_and_nothing_else(place):
    browser, at = drafted(place)
    page = browser.get(at).text
    for told in (
        "平安办", "中共东区委员会、东区人民政府：", "《平安风险周报》2026年第2期（2026-W46",
        "风险值20.0（上期20.0，持平", "主要因素：欠薪：5", "本期发生10件，上期8件，上升 25.0%",
        "20261116T000000Z-0badcafe", "草稿，未签发", "平安预警函〔待签发编号〕",
        "请于2026年11月25日前书面反馈",
    ):  # fmt: skip
        assert told in page, told
    check_harmless(page)


def test_a_double_click_drafts_one(place):
    browser, at = drafted(place)
    assert len(findings(place.browser("leader").get("/letters?week=2026-W45").text)) == 1
    page = browser.get("/letters").text
    assert findings(page) == []  # it leads to the draft now
    assert f'href="{at}"' in page
    again = browser.post("/letters/draft", {"finding": _id_of(place)}, page="/letters")
    assert again.headers["Location"].partition("?")[0] == at
    assert len(Letters(place.database).listed(LEADER)) == 1


def _id_of(place):
    return Letters(place.database).listed(LEADER)[0].key[:24]


@pytest.mark.parametrize("finding", ["", "0" * 24, "../head", "x" * 5_000, "%00"])
def test_a_forged_finding_drafts_nothing(place, finding):
    answer = place.browser("leader").post("/letters/draft", {"finding": finding}, page="/letters")
    assert answer.status_code == 400
    assert "此项发现已不在本期中" in said(answer.text)
    assert Letters(place.database).listed(LEADER) == []


def test_everybody_writes_and_reads_about_the_own_areas_alone(place):
    _, at = drafted(place, "east")
    for login, status in {
        "leader": 200,
        "east": 200,
        "chief": 200,
        "gate": 200,
        "west": 404,
    }.items():
        answer = place.browser(login).get(at)
        assert answer.status_code == status, login
    west = place.browser("west")
    main = re.compile(r"<main.*</main>", re.DOTALL)
    unknown = west.get("/letters/0123456789ab")
    assert unknown.status_code == 404
    assert main.search(unknown.text)[0] == main.search(west.get(at).text)[0]
    for path in (f"{at}/change", f"{at}/file"):
        answer = west.post(path, {"do": "withdraw", "why": "settled", "format": "pdf"})
        assert answer.status_code == 404
    assert "东门" not in west.get("/letters").text
    assert west.get("/letters?area=9901001").status_code == 404


def test_who_may_only_read_has_no_form(place):
    _, at = drafted(place, "east")
    chief = place.browser("chief")
    page = chief.get(at).text
    assert "您可以查看，不能起草或签发" in page
    assert "<textarea" not in page
    assert findings(chief.get("/letters").text) == []
    assert chief.post(f"{at}/change", {"do": "withdraw", "why": "settled"}).status_code == 403
    place.admin("security_admin")
    assert place.browser("security-admin").get("/letters").status_code == 403


def test_a_text_is_edited_and_signed_with_its_number(place):
    browser, at = drafted(place)
    assert edit(browser, at, title_zh="关于加强东区防范的预警函").status_code == 303
    answer = sign(browser, at)
    assert answer.status_code == 303
    page = browser.get(answer.headers["Location"]).text
    assert "已签发：平安预警函〔2026〕1号" in said(page)
    assert "关于加强东区防范的预警函" in page
    assert "<textarea" not in page
    assert edit_of_signed(browser, at).status_code == 409
    assert "2026年11月20日" in page


def edit_of_signed(browser, at):
    texts = {
        f"{name}_{lang}": "十个字以上的一段正文文字"
        for name in ("addressee", "title", "body")
        for lang in ("zh", "en")
    }
    return browser.post(
        f"{at}/change", {**texts, "do": "edit", "revision": "2", "due": ""}, page=at
    )


def test_signing_asks_for_a_reason_and_records_every_step(place):
    browser, at = drafted(place)
    answer = sign(browser, at, reason="")
    assert answer.status_code == 400
    assert "请填写理由" in said(answer.text)
    answer = sign(browser, at, reason="王某某要求签发")
    assert "理由中含有个人信息" in said(answer.text)
    edit(browser, at, title_zh="关于加强东区防范的预警函")
    sign(browser, at)
    browser.post(f"{at}/change", {"do": "withdraw", "why": "repeated"}, page=at)
    rows = [(row.detail, row.target, row.result) for row in place.audit.search(action="letter")]
    told = [detail for detail, _, result in rows[::-1] if result == "ok"]
    assert told == ["", "edit revision 1", f"sign: {REASON}", "withdraw: repeated"]
    assert rows[-1][1] == "draft risk_letter county.9901001 2026-W46 red"
    # The text is in no row.
    assert not any("防范" in detail + target for detail, target, _ in rows)


def test_the_loser_of_two_edits_is_told_and_keeps_the_own_text(place):
    browser, at = drafted(place)
    other = place.browser("east")
    before = form(other.get(at).text)
    edit(browser, at, title_zh="关于东区的预警函甲")
    answer = other.post(
        f"{at}/change", before | {"do": "edit", "title_zh": "关于东区的预警函乙"}, page=at
    )
    assert answer.status_code == 409
    assert "其他人已修改此函（现为第 2 稿，您改的是第 1 稿）" in said(answer.text)
    kept = form(answer.text)
    assert (kept["title_zh"], kept["revision"]) == ("关于东区的预警函乙", "2")
    assert "关于东区的预警函甲" in answer.text  # the paper shows what is stored
    assert sign(other, at, revision="1").status_code == 409


@pytest.mark.parametrize(
    ("field", "text"),
    [
        ("body_zh", "请与当事人：张三丰联系核实此事。"), ("body_zh", "请拨打13800138000核实情况。"),
        ("title_zh", "关于990101199003076538的函"), ("addressee_zh", "甘A12345"),
        ("body_en", "Please ask Mr Smith about this matter."),
    ],
)  # fmt: skip
def test_a_person_in_the_text_is_refused(place, field, text):
    browser, at = drafted(place)
    answer = edit(browser, at, **{field: text})
    assert answer.status_code == 400
    assert "含有姓名、电话、证件号、车牌或邮箱" in said(answer.text)
    assert form(browser.get(at).text)[field] != text


def test_hostile_text_is_shown_as_text(place):
    browser, at = drafted(place)
    assert edit(browser, at, body_zh=f"一段无害的正文文字 {HOSTILE}").status_code == 303
    check_harmless(browser.get(at).text)
    check_harmless(browser.get("/letters").text)


@pytest.mark.parametrize(
    "data",
    [
        {"do": "burn"}, {"do": ""}, {"do": "withdraw", "why": "mood"}, {"do": "slip", "kind": "notice"},
        {"do": "edit", "revision": "-1"}, {"do": "edit", "revision": "9" * 30},
        {"do": "sign", "revision": "１", "reason": REASON},
    ],
)  # fmt: skip
def test_forged_forms_are_refused(place, data):
    browser, at = drafted(place)
    assert browser.post(f"{at}/change", data, page=at).status_code == 400
    assert browser.client.post(f"{at}/change", data=data).status_code == 400  # without a token


def test_the_chain_of_slips(place):
    browser, at = drafted(place)
    assert slip(browser, at, "acceptance").status_code == 409
    sign(browser, at)
    assert slip(browser, at, "feedback").status_code == 409
    here = {}
    for kind in ("acceptance", "assignment", "feedback"):
        here[kind] = slip(browser, at, kind)
        if kind == "feedback":
            assert "待填写" in said(sign(browser, here[kind]).text)
            text = form(browser.get(here[kind]).text)["body_zh"]
            edit(browser, here[kind], body_zh=text.replace("（待填写）", "已增加夜间巡逻"))
        assert sign(browser, here[kind]).status_code == 303
    page = browser.get(at).text
    for number in (
        "平安预警函〔2026〕1号",
        "平安受理〔2026〕1号",
        "平安交办〔2026〕1号",
        "平安反馈〔2026〕1号",
    ):
        assert number in page
    assert "办理链结束" in page
    answer = browser.post(f"{at}/change", {"do": "withdraw", "why": "settled"}, page=at)
    assert "请先撤回最后一单" in said(answer.text)


def test_the_effect_is_told_four_weeks_later_and_not_before(place):
    browser, at = drafted(place)
    assert "实测效果" not in browser.get(at).text
    sign(browser, at)  # on Friday, 20 November: the first whole week begins on the 23rd
    early = "还不能看效果：2026-12-21 之前不作判断"
    place.context.store.row = MEASURED
    assert early in browser.get(at).text
    assert 'state=due">可看效果 0' in browser.get("/letters").text
    place.clock.turn(days=31)
    browser = place.browser("leader")
    page = browser.get(at).text
    for told in (
        "件数下降，超出偶然波动", "与相似区域相比 -49.4%（90% 区间 -69.9% 至 -14.9%）",
        "签发后 12 期 20 件，签发前对照 26 期 40 件", "20 个未发函的相似区域同期由 800 件变为 790 件",
    ):  # fmt: skip
        assert told in page, told
    assert 'state=due">可看效果 1' in browser.get("/letters").text
    # What happened in foreign areas is not told to who sees only the own ones.
    assert "800 件" not in place.browser("east").get(at).text


@pytest.mark.parametrize(
    ("row", "told"),
    [
        (None, "还不能看效果"),
        ((*MEASURED[:10], "cannot_tell", "no_clear_change"), "不能判断是否有效"),
        ((3, 1, 0, 0, 0, None, None, None, None, None, "cannot_tell", "too_few_incidents"), "件数太少"),
        ((3, 1, 0, 0, 0, None, None, None, None, None, "cannot_tell", "other_action"), "其他行动或函件"),
    ],
)  # fmt: skip
def test_what_cannot_be_told_is_said_so(place, row, told):
    browser, at = drafted(place)
    sign(browser, at)
    place.clock.turn(days=40)
    place.context.store.row = row
    page = place.browser("leader").get(at).text
    assert told in page
    assert "nan" not in page.lower()


@pytest.mark.parametrize("kind", ["docx", "pdf"])
def test_a_file_holds_the_numbers_of_the_page(place, kind):
    browser, at = drafted(place)
    sign(browser, at)
    assert browser.post(f"{at}/file", {"format": kind}, page=f"{at}/file").status_code == 400
    answer = browser.post(f"{at}/file", {"format": kind, "reason": "存档备查用"}, page=f"{at}/file")
    assert answer.status_code == 200
    name = f"pingan-risk-letter-2026-1-9901001-zh.{kind}"
    assert name in answer.headers["Content-Disposition"]
    text = text_of(kind, answer.get_data())
    page = re.sub(r"\s", "", unescape(re.sub(r"<[^>]+>", "", browser.get(at).text)))
    for told in (
        "平安预警函〔2026〕1号",
        "风险值20.0",
        "10件，上期8件",
        "2026年11月20日",
        "leader",
    ):
        assert told in text, told
    figures = set(re.findall(r"\d+\.\d+", text.partition("附件数据依据")[0]))
    assert figures >= {"20.0", "25.0"}
    assert figures <= set(re.findall(r"\d+\.\d+", page))


def text_of(kind, content):
    """Every text of a document without spaces."""
    if kind == "pdf":
        found = "".join(one.extract_text() for one in pypdf.PdfReader(io.BytesIO(content)).pages)
    else:
        file = docx.Document(io.BytesIO(content))
        cells = (cell.text for table in file.tables for row in table.rows for cell in row.cells)
        foot = (one.text for one in file.sections[0].footer.paragraphs)
        found = "".join((*(one.text for one in file.paragraphs), *cells, *foot))
    return re.sub(r"\s", "", found)


def test_the_weekly_page_leads_to_the_letters_of_its_area(place):
    page = unescape(place.browser("east").get("/weekly").text)
    (link,) = re.findall(r'class="to" href="(/letters\?[^"]*)"', page)
    assert "area=county.9901001" in link
    assert "week=2026-W46" in link
    assert place.browser("east").get(link).status_code == 200
    assert 'href="/letters' in place.browser("chief").get("/account").text


def test_without_an_issue_the_page_says_so(make_site):
    site = make_site(store=MeasuredStore())
    site.person("leader", GRANTS["leader"])
    page = site.browser("leader").get("/letters").text
    assert "还没有可读的周报期次" in page
    assert findings(page) == []


def test_in_english(place):
    browser, at = drafted(place)
    page = browser.get(f"{at}?lang=en").text
    assert "Risk letter on East" in page
    assert "The risk of East is red at 20.0" in page
    due = place.clock.now.date() + dt.timedelta(days=5)
    assert f"Please answer in writing by {due:%d %b %Y}." in page
