// Viewer request of the API front's default behaviour: what belongs to no route is answered here.

function handler() {
    return notFound();
}
