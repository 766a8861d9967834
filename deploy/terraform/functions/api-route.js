// Viewer request of one route of the API front: checks the path, strips the prefix, says who asks.
//
// CloudFront runs one function per event and behaviour, so one does all three. Terraform puts a line before this file:
// const ROUTE = {"address":"x-viewer-address","lock":"x-origin-lock","prefix":"/.well-known","strip":true};

function handler(event) {
    const request = event.request;
    if (!request.uri.startsWith(ROUTE.prefix + '/') || !isPlain(request.uri)) {
        return notFound();
    }
    // Servers that speak CGI read x_viewer_address as x-viewer-address: no spelling of a viewer's own may pass.
    Object.keys(request.headers).forEach((name) => {
        const read = name.toLowerCase().replace(/_/g, '-');
        if (read === ROUTE.address || read === ROUTE.lock) {
            delete request.headers[name];
        }
    });
    // A new object, never a new value in the viewer's: that could keep a multiValue beside it.
    request.headers[ROUTE.address] = { value: event.viewer.ip };
    if (ROUTE.strip) {
        request.uri = request.uri.slice(ROUTE.prefix.length);
    }
    return request;
}
