from facegauge.serve.app import create_app
from served import served


def test_documentation_is_one_page_without_scripts(service):
    response = service.client.get("/docs")
    assert response.headers["content-type"].startswith("text/html")
    page = response.text
    for told in ("POST /v1/score", "GET /v1/models", "too-many-files", "curl -F files=@"):
        assert told in page
    assert "<script" not in page
    assert "http" not in page.replace("http://127.0.0.1:8000", "")
    assert "default-src 'none'" in response.headers["content-security-policy"]


def test_it_is_in_front_where_there_is_no_page(scorer, tmp_path):
    with served(create_app(scorer, page=tmp_path)) as service:
        front = service.client.get("/")
    assert (front.status_code, front.headers["location"]) == (307, "/docs")
