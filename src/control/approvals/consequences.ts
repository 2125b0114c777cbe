// What follows from an approval, by its kind. Given by the composition root: approvals know of no run, no document and no grant.
import type { ApprovalKind, ApprovalRow, Transaction } from '../../systems/metadata/metadata.js';

export const CONSEQUENCES = Symbol('consequences of approvals');

export interface Consequence {
  /**
   * Carried out in the transaction of the approval. `used`: that was it; `approved`: it is used later, and looked at again then. Throws APPROVAL_VOID
   * where what was approved is not what is there any more.
   */
  approved(transaction: Transaction, approval: ApprovalRow, nowMs: number, approver: string): Promise<'approved' | 'used'>;
  /** It will not be approved any more: refused, expired or void. */
  ended?(transaction: Transaction, approval: ApprovalRow, code: 'APPROVAL_REFUSED' | 'APPROVAL_EXPIRED' | 'APPROVAL_VOID'): Promise<void>;
}

export type Consequences = Readonly<Record<ApprovalKind, Consequence>>;
