// Viewer request of the hub front: only files of the branches and tags that are served.
//
// The git host answers for every commit that it has, those of forks and pull requests too, so a path that may begin with
// anything would serve strangers' files under our name. Terraform puts a line before this file:
// const REFS = ["master"];

function handler(event) {
    const request = event.request;
    if (!isPlain(request.uri) || !REFS.some((ref) => request.uri.startsWith('/' + ref + '/'))) {
        return notFound();
    }
    return request;
}
