// The door of /v1/access-reviews: who holds what, and who else said that it may stay so.
export { AccessReviewClock } from './access-review-clock.js';
export { AccessReviewsController } from './access-reviews-controller.js';
